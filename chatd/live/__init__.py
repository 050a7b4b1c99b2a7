"""What is true right now, in memory."""
