"""Total variation, Kullback-Leibler, Jensen-Shannon and Wasserstein-1."""
