"""A network as a chain of segments, each compiled by the backend that suits it."""
