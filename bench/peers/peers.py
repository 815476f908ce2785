"""Peers: what a user would write instead, by library. A module for each kind of work has functions NAME_peers(argument) that
import the library (ImportError where it is missing) and give {work: function}, one run of which returns its sample. The first
call compiles. numpy, numba, torchsde and diffrax are given the arrays that networks need, by work."""

import peers_linear
import peers_local_sgd
import peers_slow

MODULES = [peers_linear, peers_slow, peers_local_sgd]
LIBRARIES = {  # name: function of the modules, precision
    "numpy": ("numpy_peers", None),
}
