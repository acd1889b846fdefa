"""Logins: the flows, the challenges and the factors, and the tokens that end them."""
