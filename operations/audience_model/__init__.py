"""Make the configured audience model that audiences are generated with, from a Glue table of interactions.

    python -m operations.audience_model --name NAME --database DATABASE --table TABLE --output s3://BUCKET/PREFIX

It is for whoever has the training data: two roles, a training data set, an audience model and a configured audience
model, none of which CloudFormation can make all of. What exists under its name is used again, so the command may be
stopped at any time and started anew; the training goes on without it. What exists and is something else is an error:
nothing that is already there is changed, except that the two roles get their policies again.

Sources: AWS Clean Rooms user guide, "Set up service roles for AWS Clean Rooms ML" (ml-roles), "Training data
requirements for Clean Rooms ML" (ml-training-data-requirements), "Create AWS Clean Rooms ML models as a training data
provider" (working-with-machine-learning-tdp); API reference and SDK model of CreateTrainingDataset,
CreateAudienceModel and CreateConfiguredAudienceModel.
"""
