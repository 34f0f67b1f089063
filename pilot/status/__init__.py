"""What the pilot knows of itself: a snapshot made by the loop, served on a Unix socket."""
