"""Peers: what a user would write instead. Each module has the works of one kind, in functions LIBRARY_peers that import
the library (ImportError where it is missing) and give {work: function}; one run of a function returns its sample, an
array, and its first run compiles. `arrays` are those that networks need, by work."""

import peers_flow
import peers_linear
import peers_local_sgd
import peers_network_slow
import peers_networks
import peers_perceptron
import peers_slow
import works as w

MODULES_ON_GPU = (peers_linear, peers_slow, peers_local_sgd, peers_networks, peers_network_slow, peers_perceptron)
MODULES = (peers_linear, peers_slow, peers_local_sgd, peers_networks, peers_network_slow, peers_perceptron, peers_flow)
PEERS = {  # name: the functions, and what they take beside the arrays
    "numpy": ("numpy_peers",),
    "scipy": ("scipy_peers",),
    "numba": ("numba_peers",),
    "PyTorch float64": ("torch_peers", "float64"),
    "PyTorch float32": ("torch_peers", "float32"),
    "torchsde": ("torchsde_peers",),
    "JAX float64": ("jax_peers", "float64"),
    "JAX float32": ("jax_peers", "float32"),
    "diffrax": ("diffrax_peers",),
}


def functions_of(peer, arrays):
    """{work: function} of one peer over all kinds of work."""
    name, *others = PEERS[peer]
    return {work: function for module in (MODULES_ON_GPU if w.gpu else MODULES) if hasattr(module, name)
            for work, function in getattr(module, name)(arrays, *others).items()}
