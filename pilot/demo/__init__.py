"""The demo node: a pretend node in a temporary folder, and small programs that write logs there."""
