"""Who is asking, what they may read, and what their role allows."""
