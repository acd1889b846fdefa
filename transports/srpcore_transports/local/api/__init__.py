"""The API of the service: the shapes of its requests, their validation, reading parameters, and errors."""
