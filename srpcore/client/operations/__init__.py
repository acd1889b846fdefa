"""The operations on users, groups, devices and pools: one module for each subject, each method one flow."""
