"""Seedbed beside other tools: contenders in turn on one core, tables, and the figures asked of them.

`meter` imports nothing of Seedbed: peers use it in environments of their own.
"""
