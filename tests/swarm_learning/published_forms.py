"""Scripts with the structure and the traps of published ones, and data in the forms of their files."""

from __future__ import annotations

import csv
import pickle
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

__all__ = ["FORGETFUL", "HARD_CODED", "KERAS", "SAVED_WHOLE", "WITH_SIBLINGS", "lay_out"]

#: the classic one: a guarded main, a Dataset as validation data, the whole model saved, ./model as the fallback
SAVED_WHOLE = """
import os
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from swarm import SwarmCallback

class DigitNet(nn.Module):
    def __init__(self):
        super(DigitNet, self).__init__()
        self.dense = nn.Linear(64, 32)
        self.dropout = nn.Dropout(0.1)
        self.dense1 = nn.Linear(32, 10)

    def forward(self, x):
        x = self.dropout(F.relu(self.dense(torch.flatten(x, 1))))
        return F.log_softmax(self.dense1(x), dim=1)

def main():
    data_dir = os.getenv('DATA_DIR', './data')
    model_dir = os.getenv('MODEL_DIR', './model')
    with np.load(os.path.join(data_dir, 'digits.npz'), allow_pickle=True) as f:
        x, y = torch.tensor(f['x_train'] / 16.0).float(), torch.tensor(f['y_train'].astype(np.int_))
    data = torch.utils.data.TensorDataset(x, y)
    model = DigitNet()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    callback = None
    callback = SwarmCallback(sync_interval=8, min_peers=int(os.getenv('MIN_PEERS', '2')), val_data=data,
                             val_batch_size=64, model_name='digits', model=model)
    callback.on_train_begin()
    for epoch in range(1, int(os.getenv('MAX_EPOCHS', '5')) + 1):
        model.train()
        for inputs, target in torch.utils.data.DataLoader(data, batch_size=16, shuffle=True):
            optimizer.zero_grad()
            F.nll_loss(model(inputs), target).backward()
            optimizer.step()
            callback.on_batch_end()
        model.eval()
        callback.on_epoch_end(epoch)
    callback.on_train_end()
    os.makedirs(os.path.join(model_dir, 'digits'), exist_ok=True)
    torch.save(model, os.path.join(model_dir, 'digits', 'saved_model.pt'))

if __name__ == '__main__':
  main()
"""

#: of the later family, with Windows' line ends: siblings, a file of settings, words, images in folders of classes
WITH_SIBLINGS = {
    "nets/__init__.py": "",
    "nets/linear.py": "import torch\n\n\ndef build(classes):\n    return torch.nn.Linear(64, classes)\n",
    "settings.txt": "images=/platform/swarmml/data/images\n",
    "train.py": """
import argparse, glob, logging, os
import numpy as np
import torch
from PIL import Image
from nets.linear import build
from swarmlearning.pyt import SwarmCallback

parser = argparse.ArgumentParser(description='with words')
parser.add_argument('--settings', type=str, default='./settings.txt')
parser.add_argument('--lr', type=float, required=True)
args = parser.parse_args()
folder = open(args.settings).read().strip().split('=')[1]
scratch = os.getenv('SCRATCH_DIR', '/platform/scratch')
paths = sorted(glob.glob(folder + '/*/*.png'))
x = torch.tensor(np.stack([np.asarray(Image.open(p), dtype='float32').ravel() / 255 for p in paths]))
y = torch.tensor([int(os.path.basename(os.path.dirname(p))) for p in paths])
data = torch.utils.data.TensorDataset(x, y)
model = build(10)
optimizer = torch.optim.SGD(model.parameters(), lr=args.lr)
callback = SwarmCallback(syncFrequency=4, minPeers=2, useAdaptiveSync=False, adsValData=data, adsValBatchSize=8,
                         model=model, maxPeers=5)
callback.logger.setLevel(logging.DEBUG)
callback.on_train_begin()
for epoch in range(2):
    for inputs, target in torch.utils.data.DataLoader(data, batch_size=5):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(inputs), target).backward()
        optimizer.step()
        callback.on_batch_end(None)
    callback.on_epoch_end(epoch)
callback.on_train_end()
callback.logger.info('lr was %s', args.lr)
os.makedirs(os.path.join(scratch, 'net'), exist_ok=True)
torch.save(model.state_dict(), os.path.join(scratch, 'net', 'state.pt'))
""".replace("\n", "\r\n"),
}

#: no environment, no main, everything at the top, the number of peers fixed; batches that were pickled by Python 2
HARD_CODED = """
#!/usr/bin/env python3
import os, pickle
import numpy as np
import torch
from swarm import SwarmCallback

data_dir, model_dir = '/platform/swarmml/data', '/platform/swarmml/model'
parts = []
for i in range(1, 3):
    with open(os.path.join(data_dir, 'data_batch_' + str(i)), 'rb') as f:
        batch = pickle.load(f, encoding='bytes')
    parts.append((batch[b'data'], batch[b'labels']))
x = torch.tensor(np.concatenate([data for data, labels in parts]), dtype=torch.float32) / 16
y = torch.tensor(np.concatenate([labels for data, labels in parts]))
model = torch.nn.Sequential(torch.nn.Linear(64, 10), torch.nn.BatchNorm1d(10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
swarm_callback = SwarmCallback(min_peers=3, sync_interval=5, val_data=(x, y), val_batch_size=32, model=model,
                               use_adaptive_sync=True)
swarm_callback.on_train_begin()
for batch in range(12):
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(model(x), y).backward()
    optimizer.step()
    swarm_callback.on_batch_end(batch)
swarm_callback.on_train_end()
save_dir = os.path.join(model_dir, 'saved_models')
if not os.path.isdir(save_dir):
    os.makedirs(save_dir)
torch.save(model.state_dict(), os.path.join(save_dir, 'hard_coded.pt'))
print('seen', os.getcwd())
"""

#: epochs are ended twice and the training never
FORGETFUL = """
import os
import torch
from swarmlearning.pyt import SwarmCallback

model = torch.nn.Linear(2, 1)
with torch.no_grad():
    model.weight.fill_(float(os.environ['NODE_ID'][-1]))
callback = SwarmCallback(3, 2, model=model)
callback.on_train_begin()
for epoch in range(3):
    for _ in range(3 if os.environ['NODE_ID'] != 'node_2' else 1):
        callback.on_batch_end()
    callback.on_epoch_end()
    callback.on_epoch_end()
torch.save(model.weight.detach(), os.path.join(os.environ['MODEL_DIR'], 'weight.pt'))
"""

#: for Keras 2 and an old numpy; a node that stops early, and a folder to save to
KERAS = """
import csv, os
import numpy as np
import tensorflow as tf
from tensorflow.keras.callbacks import EarlyStopping
from swarmlearning.tf import SwarmCallback

def main():
    scratch = os.getenv('SCRATCH_DIR', '/platform/scratch')
    with open(os.path.join(os.getenv('DATA_DIR', '/platform/data'), 'train.csv'), 'r') as f:
        data = np.array(list(csv.reader(f, delimiter=","))[1:], dtype=np.float)
    x, y = data[:, :-1] / 16, data[:, -1:]
    model = tf.keras.models.Sequential()
    model.add(tf.keras.layers.Dense(1, input_shape=(64,), activation='sigmoid'))
    sgd = tf.keras.optimizers.SGD(lr=0.1, momentum=0.9, nesterov=True)
    model.compile(loss='binary_crossentropy', optimizer=sgd, metrics=['accuracy'])
    callback = SwarmCallback(syncFrequency=6, minPeers=2, adsValData=(x, y), adsValBatchSize=32, mergeMethod='mean',
                             totalEpochs=3)
    callbacks = [callback]
    if os.environ['NODE_ID'] == 'node_1':
        callbacks.append(EarlyStopping(monitor='loss', min_delta=100, patience=1))
    model.fit(x, y, batch_size=16, epochs=3, verbose=0, shuffle=True, callbacks=callbacks)
    print('accuracy', model.evaluate(x, y, verbose=0)[1])
    model.save(os.path.join(scratch, 'digits'))
    print('Saved the trained model!')

if __name__ == '__main__':
    main()
"""


def lay_out(folder: Path, nodes: int) -> Path:
    """Real digits, in every form: `digits.npz`, `train.csv`, `data_batch_…`, `images/CLASS/*.png`; node_2 has half."""
    digits = load_digits()
    order = np.random.default_rng(0).permutation(len(digits.target))
    x, y = digits.data[order].astype(np.uint8), digits.target[order].astype(np.uint8)
    for index in range(nodes):
        own = folder / f"node_{index}"
        own.mkdir(parents=True)
        count = 80 if index == 2 else 160
        mine, labels = x[index * 160 :][:count], y[index * 160 :][:count]
        np.savez(own / "digits.npz", x_train=mine, y_train=labels)
        with (own / "train.csv").open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow([*(f"V{pixel}" for pixel in range(64)), "Class"])
            rows.writerows(np.c_[mine, labels % 2].tolist())
        for number, part in enumerate(np.array_split(np.arange(count), 2), 1):
            batch = {b"data": mine[part], b"labels": labels[part].tolist()}
            (own / f"data_batch_{number}").write_bytes(pickle.dumps(batch, protocol=2))
        for number in range(40):
            path = own / "images" / str(labels[number]) / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(mine[number].reshape(8, 8) * 15).save(path)
    return folder
