"""The network that all nodes train together."""

import torch
from torch import nn


class DigitNet(nn.Module):
    """8 × 8 pixels in, a score for each of the ten digits out."""

    def __init__(self, hidden: int = 48):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, 10))

    def forward(self, images):
        return self.layers(images)

    def get_weights(self) -> dict:
        """Layer name to array; what travels."""
        return {name: tensor.numpy() for name, tensor in self.state_dict().items()}

    def set_weights(self, weights: dict) -> None:
        """Take weights as `get_weights` gives them."""
        self.load_state_dict({name: torch.tensor(array) for name, array in weights.items()})
