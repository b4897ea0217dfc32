"""Wasserstein GANs, trained on the estimators of ``divergences.dual``."""
