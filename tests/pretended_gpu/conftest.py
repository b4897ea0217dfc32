"""These files are for the process that test_pretended_gpu.py starts, where torch comes later."""

import os

collect_ignore_glob = [] if "PRETENDED_GPU_GUARD" in os.environ else ["*.py"]
