"""Spending over HTTP."""
