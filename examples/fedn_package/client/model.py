"""The network, and how its weights become a file and come back; run by itself it writes the first model."""

import torch
from fedn.utils.helpers.helpers import get_helper
from torch import nn

helper = get_helper("numpyhelper")


class DigitNet(nn.Sequential):
    """Two layers: 64 pixels in, a score for each of the ten digits out."""

    def __init__(self):
        super().__init__(nn.Flatten(), nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))


def save(model, path):
    helper.save([tensor.numpy() for tensor in model.state_dict().values()], path)


def load(path):
    model = DigitNet()
    names = model.state_dict()
    model.load_state_dict(
        {name: torch.tensor(array) for name, array in zip(names, helper.load(path), strict=True)}
    )
    return model


if __name__ == "__main__":
    save(DigitNet(), "../seed.npz")
