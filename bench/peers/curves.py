"""The slow SDE of Local SGD on a manifold that is a curve, as dX = drift(X) dt + diffusion(X) dW for one coordinate X
of it (theory.md section 7): what a user who has the closed form would simulate. Each maker takes an array module xp and
psi, and returns X -> (drift, diffusion), so that every library runs the same formula."""

import math
from dataclasses import dataclass
from typing import Callable

import works as w

(S00, S01), (_, S11) = w.SIGMA
VALLEY_VARIANCES = tuple(s * s for s in w.VALLEY_SIGMA)
A, K, B, ALPHA = w.A, w.K, w.B, w.ALPHA


def psi_of(xp):
    return lambda x: (xp.exp(-x) - 1 + x) / x


def ring(xp, psi):
    """X: the angle."""

    def coefficients(phi):
        co, si = xp.cos(phi), xp.sin(phi)
        c, ct = 1 + A * co, -A * si
        tt = S00 * si * si - 2 * S01 * si * co + S11 * co * co
        nn = S00 * co * co + 2 * S01 * si * co + S11 * si * si
        tn = (S11 - S00) * si * co + S01 * (co * co - si * si)
        drift = -(tn * (1 + (K - 1) * psi(4 * ALPHA * c)) + ct * nn / (4 * c) * (1 + (K - 1) * psi(8 * ALPHA * c))) / B
        return drift, xp.sqrt(tt / B)

    return coefficients


def valley(xp, psi):
    """X: u, with h = 1 + u^2."""
    along, across = VALLEY_VARIANCES
    diffusion = math.sqrt(along / B)

    def coefficients(u):
        h = 1 + u * u
        return -across * u / (2 * B * h) * (1 + (K - 1) * psi(2 * ALPHA * h)), diffusion

    return coefficients


def hyperbola(xp, psi):
    """X = log x. With lam = x^2 + y^2, q = x^2 - y^2, tangent (x, -y)/sqrt(lam) and normal (y, x)/sqrt(lam):

    dX = sqrt(S_tt/(B lam)) dW
         - [ q S_nn/2 (1 + (K-1) psi(2 alpha lam)) - 2 S_tn (1 + (K-1) psi(alpha lam)) + q S_tt/2 ]/(B lam^2) dt;

    label noise of variance 1 adds lam to S_nn. Label noise alone gives section 7's equation for q."""

    def coefficients(s):
        x = xp.exp(s)
        y = 1 / x
        xx, yy = x * x, y * y
        lam, q = xx + yy, xx - yy
        tt = (S00 * xx - 2 * S01 + S11 * yy) / lam
        nn = (S00 * yy + 2 * S01 + S11 * xx) / lam + lam
        tn = (S00 - S11 + S01 * q) / lam
        across = 0.5 * q * nn * (1 + (K - 1) * psi(2 * ALPHA * lam)) - 2 * tn * (1 + (K - 1) * psi(ALPHA * lam))
        return -(across + 0.5 * q * tt) / (B * lam * lam), xp.sqrt(tt / (B * lam))

    return coefficients


@dataclass(frozen=True)
class Curve:
    start: float
    make: Callable  # (xp, psi) -> coefficients
    observe: Callable  # xp -> (X -> observable)


CURVES = {
    "ring_sde": Curve(math.pi / 2, ring, lambda xp: lambda phi: xp.sin(phi)),
    "valley_sde": Curve(0.8, valley, lambda xp: lambda u: u),
    "hyperbola_sde": Curve(math.log(2), hyperbola, lambda xp: lambda s: xp.exp(s)),
}
