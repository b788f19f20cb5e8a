"""The combiner: here the server functions only."""
