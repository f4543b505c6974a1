"""How fast the real engine trains the shipped models, how near to the device's peak, and in how much memory.

__main__: a group of processes a model --> rank: steps, timed --> report: table and JSON, plan beside measurement
"""
