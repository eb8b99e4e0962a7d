"""What a person sees: signing in, and the chat."""
