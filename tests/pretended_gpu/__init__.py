"""A CUDA device that is pretended, for machines without one."""
