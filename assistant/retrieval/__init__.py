"""From a question to numbered passages that its caller may read."""
