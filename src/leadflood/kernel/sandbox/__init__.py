"""Processes that read what users supply, with limits on time and memory and without access to anything else."""
