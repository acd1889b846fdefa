"""The transports: each module carries a flow's operations over one kind of wire, and needs only what its name says."""
