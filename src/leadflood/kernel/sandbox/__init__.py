"""Processes that parse user files, with limits on time and memory and without access to anything else."""
