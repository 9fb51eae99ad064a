"""Pages and charts: accessible HTML with no script and no network."""
