"""An approved model at work."""
