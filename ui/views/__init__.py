"""What a person sees: signing in, and the chat.

Not named `pages`: Streamlit makes pages of its own of every file in a folder of that name.
"""
