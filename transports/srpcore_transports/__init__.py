"""The transports: each module sends operations in one way, and imports only the packages that this way needs."""
