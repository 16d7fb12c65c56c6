"""Writes clusters_golden.safetensors: clustering accuracy as the authors' cluster.py computes it.

    pip install numpy scipy scikit-learn safetensors && python3 clusters.py
"""

import numpy as np
from safetensors.numpy import save_file
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans

random = np.random.default_rng(0)
classes, width, train_size, test_size = 5, 6, 400, 200
centres = random.normal(size=(classes, width)) * 2
stretch = random.normal(size=(width, width)) * np.array([10, 3, 1, 1, 0.1, 0])  # one direction is empty


def draw(size):
    labels = random.integers(classes, size=size)
    return (centres[labels] + random.normal(size=(size, width))) @ stretch.T, labels


train, _ = draw(train_size)
test, labels = draw(test_size)

mean = train.mean(axis=0)
singular, directions = np.linalg.svd(train - mean, full_matrices=False)[1:]
whiten = lambda codes: (codes - mean) @ directions.T / (singular + 1e-5)
whitened_train, whitened_test = whiten(train), whiten(test)

kmeans = KMeans(init="random", n_clusters=classes, max_iter=1000, n_init=300, random_state=0).fit(whitened_train)
found = kmeans.predict(whitened_test)
counts = np.array([[np.sum((labels == label) & (found == cluster)) for cluster in range(classes)] for label in range(classes)])
matched = counts[linear_sum_assignment(-counts)].sum()

save_file(
    {
        "train": train,
        "test": test,
        "labels": labels,
        "singular": singular,
        "whitened_test": whitened_test,
        "inertia": np.array([kmeans.inertia_]),
        "accuracy": np.array([100 * matched / test_size]),
    },
    "clusters_golden.safetensors",
)
print(kmeans.inertia_, 100 * matched / test_size, singular)
