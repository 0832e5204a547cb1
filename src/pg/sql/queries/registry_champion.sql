SELECT version FROM model_registry WHERE model_name = :'name' AND is_champion;
