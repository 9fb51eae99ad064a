"""The entry points of MLproject: each hands its arguments to the command of the same purpose."""
