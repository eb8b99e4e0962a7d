"""The routes, a module for each noun; every route declares one permission."""
