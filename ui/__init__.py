"""The chat page; it knows the assistant only through its HTTP API."""
