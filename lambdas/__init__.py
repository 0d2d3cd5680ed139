"""The code of the Lambda functions.

The modules here are the handlers, named after the states and the services. Each package below holds the parts of one
step; `rules` has the services' documented rules, `report` the HTML pages, `shared` the parts that several packages use.
"""
