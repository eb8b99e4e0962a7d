"""The JSON of requests and responses, a module for each noun; `docs/reference/openapi.json`."""
