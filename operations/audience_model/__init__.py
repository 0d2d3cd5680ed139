"""Makes the configured audience model from a Glue table of interactions.

    python -m operations audience-model --name NAME --database DATABASE --table TABLE --output s3://BUCKET/PREFIX

The owner of the training data runs it. It makes two roles, a training data set, an audience model and a configured
audience model; CloudFormation has no resource types for some of them. Existing resources of the same name are used
again, so the command may be stopped at any time and repeated; the training goes on without it. An existing resource
with other settings is an error. Nothing existing is changed, except that the two roles get their policies again.

Sources: AWS Clean Rooms user guide, "Set up service roles for AWS Clean Rooms ML" (ml-roles), "Training data
requirements for Clean Rooms ML" (ml-training-data-requirements), "Create AWS Clean Rooms ML models as a training data
provider" (working-with-machine-learning-tdp); API reference and SDK model of CreateTrainingDataset,
CreateAudienceModel and CreateConfiguredAudienceModel.
"""
