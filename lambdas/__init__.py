"""What runs in AWS Lambda.

The modules here are the functions' handlers, named as the states and the services. Each room holds what its steps work
with; `rules` is what the services document, `report` the pages, `shared` what several rooms use.
"""
