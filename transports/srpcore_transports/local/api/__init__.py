"""The API of the service: parameters, errors and pages."""
