"""What several operations need for a login: the next step, the factors, and the tokens.

A function that answers an operation is in the package ``operations``, even if the operation belongs to a login.
"""
