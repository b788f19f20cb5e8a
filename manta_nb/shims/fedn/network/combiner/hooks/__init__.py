"""What a user's server functions are made of."""
