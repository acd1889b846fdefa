"""Lambda triggers: the functions, the service's events, and the rules for their responses. Nothing here has state."""
