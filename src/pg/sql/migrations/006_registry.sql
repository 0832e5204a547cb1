-- The order of promotions, whatever a clock said, and which one a rollback took back.
ALTER TABLE model_promotions
    ADD COLUMN seq BIGINT GENERATED ALWAYS AS IDENTITY UNIQUE,
    ADD COLUMN undoes UUID UNIQUE REFERENCES model_promotions (id);
