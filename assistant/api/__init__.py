"""The HTTP API: the assistant's own protocol, and OpenAI's for existing clients."""
