"""A log of what was asked, read and changed that shows every later alteration."""
