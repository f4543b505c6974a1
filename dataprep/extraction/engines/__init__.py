"""From the markup of a page to its text: one contract, several engines.

contract.py      what an engine is: a module with one function, and the packages that decide what it gives
registry.py      every engine by its name in the run file, loaded when a page needs it
resiliparse.py   resiliparse's rules over lexbor's tree
trafilatura.py   trafilatura's rules over lxml's tree, slow and careful
blocks.py        our own: one compiled scan into blocks and a learnt decision for each, without a tree

The kernels of the last are in `dataprep/kernels`: markup_tags, markup_bytes, markup_layout, markup_text,
markup_elements, markup_attributes, markup_scan, block_features, block_decisions, block_text, and
main_text, which puts them together.
"""
