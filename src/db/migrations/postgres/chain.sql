-- The reference's migrations on PostgreSQL, from the first to 3.8.3's last, in the order in which each builds on the one before.
-- tools/chain.py makes a table of them (db/chain.h). Its own lines:
--   -- revision ID: TITLE     begins a revision; what follows takes a database from the one before to it
--   -- step NAME             what SQL cannot say: a function of upgrade/steps.c
--   @id @created @updated    these columns as every table has them; @standard is all three
-- Objects are what the reference makes, down to odd names and lost directions of indexes (tests/upgrade compares each revision).
-- What moves data does in one statement what the reference does in batches.

-- revision 25f4b90a7a42: initial migration
CREATE TABLE flow (
    @standard,
    name VARCHAR NOT NULL,
    tags JSONB DEFAULT '[]' NOT NULL,
    CONSTRAINT pk_flow PRIMARY KEY (id),
    CONSTRAINT uq_flow__name UNIQUE (name)
);
CREATE INDEX ix_flow__updated ON flow (updated);
CREATE TABLE log (
    @standard,
    name VARCHAR NOT NULL,
    level SMALLINT NOT NULL,
    flow_run_id UUID NOT NULL,
    task_run_id UUID,
    message TEXT NOT NULL,
    timestamp TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_log PRIMARY KEY (id)
);
CREATE INDEX ix_log__flow_run_id ON log (flow_run_id);
CREATE INDEX ix_log__level ON log (level);
CREATE INDEX ix_log__task_run_id ON log (task_run_id);
CREATE INDEX ix_log__timestamp ON log (timestamp);
CREATE INDEX ix_log__updated ON log (updated);
CREATE TABLE concurrency_limit (
    @standard,
    tag VARCHAR NOT NULL,
    concurrency_limit INTEGER NOT NULL,
    active_slots JSONB DEFAULT '[]' NOT NULL,
    CONSTRAINT pk_concurrency_limit PRIMARY KEY (id)
);
CREATE UNIQUE INDEX ix_concurrency_limit__tag ON concurrency_limit (tag);
CREATE INDEX ix_concurrency_limit__updated ON concurrency_limit (updated);
CREATE TABLE saved_search (
    @standard,
    name VARCHAR NOT NULL,
    filters JSONB DEFAULT '[]' NOT NULL,
    CONSTRAINT pk_saved_search PRIMARY KEY (id),
    CONSTRAINT uq_saved_search__name UNIQUE (name)
);
CREATE INDEX ix_saved_search__updated ON saved_search (updated);
CREATE TABLE task_run_state_cache (
    @standard,
    cache_key VARCHAR NOT NULL,
    cache_expiration TIMESTAMPTZ,
    task_run_state_id UUID NOT NULL,
    CONSTRAINT pk_task_run_state_cache PRIMARY KEY (id)
);
CREATE INDEX ix_task_run_state_cache__updated ON task_run_state_cache (updated);
CREATE TABLE deployment (
    @standard,
    name VARCHAR NOT NULL,
    schedule JSONB,
    is_schedule_active BOOLEAN DEFAULT '1' NOT NULL,
    tags JSONB DEFAULT '[]' NOT NULL,
    parameters JSONB DEFAULT '{}' NOT NULL,
    flow_data JSONB,
    flow_runner_type VARCHAR,
    flow_runner_config JSONB,
    flow_id UUID NOT NULL,
    CONSTRAINT pk_deployment PRIMARY KEY (id),
    CONSTRAINT fk_deployment__flow_id__flow FOREIGN KEY (flow_id) REFERENCES flow (id) ON DELETE CASCADE
);
CREATE INDEX ix_deployment__flow_id ON deployment (flow_id);
CREATE INDEX ix_deployment__updated ON deployment (updated);
CREATE UNIQUE INDEX uq_deployment__flow_id_name ON deployment (flow_id, name);
CREATE TYPE state_type AS ENUM ('SCHEDULED', 'PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED');
CREATE TABLE flow_run (
    @standard,
    name VARCHAR NOT NULL,
    state_type state_type,
    run_count INTEGER DEFAULT '0' NOT NULL,
    expected_start_time TIMESTAMPTZ,
    next_scheduled_start_time TIMESTAMPTZ,
    start_time TIMESTAMPTZ,
    end_time TIMESTAMPTZ,
    total_run_time INTERVAL DEFAULT '0' NOT NULL,
    flow_version VARCHAR,
    parameters JSONB DEFAULT '{}' NOT NULL,
    idempotency_key VARCHAR,
    context JSONB DEFAULT '{}' NOT NULL,
    empirical_policy JSONB DEFAULT '{}' NOT NULL,
    tags JSONB DEFAULT '[]' NOT NULL,
    flow_runner_type VARCHAR,
    flow_runner_config JSONB,
    empirical_config JSONB DEFAULT '{}' NOT NULL,
    auto_scheduled BOOLEAN DEFAULT '0' NOT NULL,
    flow_id UUID NOT NULL,
    deployment_id UUID,
    parent_task_run_id UUID,
    state_id UUID,
    CONSTRAINT pk_flow_run PRIMARY KEY (id),
    CONSTRAINT fk_flow_run__deployment_id__deployment FOREIGN KEY (deployment_id) REFERENCES deployment (id) ON DELETE SET NULL,
    CONSTRAINT fk_flow_run__flow_id__flow FOREIGN KEY (flow_id) REFERENCES flow (id) ON DELETE CASCADE
);
CREATE INDEX ix_flow_run__deployment_id ON flow_run (deployment_id);
CREATE INDEX ix_flow_run__flow_id ON flow_run (flow_id);
CREATE INDEX ix_flow_run__flow_version ON flow_run (flow_version);
CREATE INDEX ix_flow_run__name ON flow_run (name);
CREATE INDEX ix_flow_run__parent_task_run_id ON flow_run (parent_task_run_id);
CREATE INDEX ix_flow_run__start_time ON flow_run (start_time);
CREATE INDEX ix_flow_run__state_id ON flow_run (state_id);
CREATE INDEX ix_flow_run__state_type ON flow_run (state_type);
CREATE INDEX ix_flow_run__updated ON flow_run (updated);
CREATE UNIQUE INDEX uq_flow_run__flow_id_idempotency_key ON flow_run (flow_id, idempotency_key);
CREATE TABLE flow_run_state (
    @standard,
    type state_type NOT NULL,
    timestamp TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP NOT NULL,
    name VARCHAR NOT NULL,
    message VARCHAR,
    state_details JSONB DEFAULT '{}' NOT NULL,
    data JSONB,
    flow_run_id UUID NOT NULL,
    CONSTRAINT pk_flow_run_state PRIMARY KEY (id),
    CONSTRAINT fk_flow_run_state__flow_run_id__flow_run FOREIGN KEY (flow_run_id) REFERENCES flow_run (id) ON DELETE CASCADE
);
CREATE INDEX ix_flow_run_state__name ON flow_run_state (name);
CREATE INDEX ix_flow_run_state__type ON flow_run_state (type);
CREATE INDEX ix_flow_run_state__updated ON flow_run_state (updated);
CREATE TABLE task_run (
    @standard,
    name VARCHAR NOT NULL,
    state_type state_type,
    run_count INTEGER DEFAULT '0' NOT NULL,
    expected_start_time TIMESTAMPTZ,
    next_scheduled_start_time TIMESTAMPTZ,
    start_time TIMESTAMPTZ,
    end_time TIMESTAMPTZ,
    total_run_time INTERVAL DEFAULT '0' NOT NULL,
    task_key VARCHAR NOT NULL,
    dynamic_key VARCHAR NOT NULL,
    cache_key VARCHAR,
    cache_expiration TIMESTAMPTZ,
    task_version VARCHAR,
    empirical_policy JSONB DEFAULT '{}' NOT NULL,
    task_inputs JSONB DEFAULT '{}' NOT NULL,
    tags JSONB DEFAULT '[]' NOT NULL,
    flow_run_id UUID NOT NULL,
    state_id UUID,
    CONSTRAINT pk_task_run PRIMARY KEY (id),
    CONSTRAINT fk_task_run__flow_run_id__flow_run FOREIGN KEY (flow_run_id) REFERENCES flow_run (id) ON DELETE CASCADE
);
CREATE INDEX ix_task_run__flow_run_id ON task_run (flow_run_id);
CREATE INDEX ix_task_run__name ON task_run (name);
CREATE INDEX ix_task_run__start_time ON task_run (start_time);
CREATE INDEX ix_task_run__state_id ON task_run (state_id);
CREATE INDEX ix_task_run__state_type ON task_run (state_type);
CREATE INDEX ix_task_run__updated ON task_run (updated);
CREATE UNIQUE INDEX uq_task_run__flow_run_id_task_key_dynamic_key ON task_run (flow_run_id, task_key, dynamic_key);
CREATE TABLE task_run_state (
    @standard,
    type state_type NOT NULL,
    timestamp TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP NOT NULL,
    name VARCHAR NOT NULL,
    message VARCHAR,
    state_details JSONB DEFAULT '{}' NOT NULL,
    data JSONB,
    task_run_id UUID NOT NULL,
    CONSTRAINT pk_task_run_state PRIMARY KEY (id),
    CONSTRAINT fk_task_run_state__task_run_id__task_run FOREIGN KEY (task_run_id) REFERENCES task_run (id) ON DELETE CASCADE
);
CREATE INDEX ix_task_run_state__name ON task_run_state (name);
CREATE INDEX ix_task_run_state__type ON task_run_state (type);
CREATE INDEX ix_task_run_state__updated ON task_run_state (updated);
ALTER TABLE flow_run ADD CONSTRAINT fk_flow_run__parent_task_run_id__task_run FOREIGN KEY (parent_task_run_id) REFERENCES task_run (id) ON DELETE SET NULL;
ALTER TABLE flow_run ADD CONSTRAINT fk_flow_run__state_id__flow_run_state FOREIGN KEY (state_id) REFERENCES flow_run_state (id) ON DELETE SET NULL;
ALTER TABLE task_run ADD CONSTRAINT fk_task_run__state_id__task_run_state FOREIGN KEY (state_id) REFERENCES task_run_state (id) ON DELETE SET NULL;
CREATE INDEX ix_flow_run__end_time_desc ON flow_run (end_time DESC);
CREATE INDEX ix_flow_run__expected_start_time_desc ON flow_run (expected_start_time DESC);
CREATE INDEX ix_flow_run__next_scheduled_start_time_asc ON flow_run (next_scheduled_start_time ASC);
CREATE UNIQUE INDEX uq_flow_run_state__flow_run_id_timestamp_desc ON flow_run_state (flow_run_id, timestamp DESC);
CREATE INDEX ix_task_run__expected_start_time_desc ON task_run (expected_start_time DESC);
CREATE INDEX ix_task_run__next_scheduled_start_time_asc ON task_run (next_scheduled_start_time ASC);
CREATE INDEX ix_task_run__end_time_desc ON task_run (end_time DESC);
CREATE UNIQUE INDEX uq_task_run_state__task_run_id_timestamp_desc ON task_run_state (task_run_id, timestamp DESC);
CREATE INDEX ix_task_run_state_cache__cache_key_created_desc ON task_run_state_cache (cache_key, created DESC);

-- revision 5f376def75c3: Add the block data table
CREATE TABLE block_data (
    @standard,
    name VARCHAR NOT NULL,
    blockref VARCHAR NOT NULL,
    data JSONB DEFAULT '{}' NOT NULL,
    CONSTRAINT pk_block_data PRIMARY KEY (id)
);
CREATE UNIQUE INDEX ix_block_data__name ON block_data (name);
CREATE INDEX ix_block_data__updated ON block_data (updated);

-- revision 5bff7878e700: Add agents and work queue
CREATE TABLE work_queue (
    @standard,
    name VARCHAR NOT NULL,
    filter JSONB DEFAULT '{}' NOT NULL,
    description VARCHAR DEFAULT '' NOT NULL,
    is_paused BOOLEAN DEFAULT '0' NOT NULL,
    concurrency_limit INTEGER,
    CONSTRAINT pk_work_queue PRIMARY KEY (id),
    CONSTRAINT uq_work_queue__name UNIQUE (name)
);
CREATE INDEX ix_work_queue__updated ON work_queue (updated);
CREATE TABLE agent (
    @standard,
    name VARCHAR NOT NULL,
    last_activity_time TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP NOT NULL,
    work_queue_id UUID NOT NULL,
    CONSTRAINT pk_agent PRIMARY KEY (id),
    CONSTRAINT uq_agent__name UNIQUE (name),
    CONSTRAINT fk_agent__work_queue_id__work_queue FOREIGN KEY (work_queue_id) REFERENCES work_queue (id)
);
CREATE INDEX ix_agent__updated ON agent (updated);
CREATE INDEX ix_agent__work_queue_id ON agent (work_queue_id);

-- revision 679e695af6ba: Add the configurations table
CREATE TABLE configuration (
    @standard,
    key VARCHAR NOT NULL,
    value JSONB NOT NULL,
    CONSTRAINT pk_configuration PRIMARY KEY (id),
    CONSTRAINT uq_configuration__key UNIQUE (key)
);
CREATE INDEX ix_configuration__key ON configuration (key);
CREATE INDEX ix_configuration__updated ON configuration (updated);

-- revision d9d98a9ebb6f: Rename block data table
ALTER TABLE block_data RENAME TO block;

-- revision 4799f657a6a1: Add block_spec table
CREATE TABLE block_spec (
    @standard,
    name VARCHAR NOT NULL,
    version VARCHAR NOT NULL,
    type VARCHAR,
    fields JSONB DEFAULT '{}' NOT NULL,
    CONSTRAINT pk_block_spec PRIMARY KEY (id)
);
CREATE INDEX ix_block_spec__updated ON block_spec (updated);
CREATE UNIQUE INDEX uq_block_spec__name_version ON block_spec (name, version);
CREATE INDEX ix_block_spec__type ON block_spec (type);
DROP INDEX ix_block_data__name;
DROP INDEX ix_block_data__updated;
CREATE INDEX ix_block__name ON block (name);
CREATE INDEX ix_block__updated ON block (updated);
ALTER TABLE block ADD CONSTRAINT uq_block__name UNIQUE (name);

-- revision d115556a8ab6: Index FlowRun.flow_runner_type
CREATE INDEX ix_flow_run__flow_runner_type ON flow_run (flow_runner_type);

-- revision b68b3cad6b8a: Add block_spec_id to blocks
ALTER TABLE block ADD COLUMN block_spec_id UUID NOT NULL;
ALTER TABLE block DROP CONSTRAINT uq_block__name;
CREATE UNIQUE INDEX uq_block__spec_id_name ON block (block_spec_id, name);
ALTER TABLE block ADD CONSTRAINT fk_block__block_spec_id__block_spec FOREIGN KEY (block_spec_id) REFERENCES block_spec (id) ON DELETE CASCADE;
ALTER TABLE block DROP COLUMN blockref;
ALTER TABLE block ADD COLUMN is_default_storage_block BOOLEAN DEFAULT '0';
CREATE INDEX ix_block__is_default_storage_block ON block (is_default_storage_block);

-- revision 2e7e1428ffce: Index Flow.created
CREATE INDEX ix_flow__created ON flow (created);

-- revision 605ebb4e9155: Add flow_run.state_name
ALTER TABLE flow_run ADD COLUMN state_name VARCHAR;
ALTER TABLE task_run ADD COLUMN state_name VARCHAR;
CREATE INDEX ix_flow_run__state_name ON flow_run(state_name);
CREATE INDEX ix_task_run__state_name ON task_run(state_name);

-- revision 14dc68cc5853: Backfill state_name
UPDATE flow_run SET state_name = (SELECT s.name FROM flow_run_state s WHERE s.id = flow_run.state_id)
    WHERE state_name IS NULL AND state_id IS NOT NULL;
UPDATE task_run SET state_name = (SELECT s.name FROM task_run_state s WHERE s.id = task_run.state_id)
    WHERE state_name IS NULL AND state_id IS NOT NULL;

-- revision d38c5e6a9115: Rename Block to BlockDocument and BlockSpec to BlockSchema
ALTER TABLE block_spec RENAME TO block_schema;
ALTER TABLE block RENAME TO block_document;
DROP INDEX ix_block__is_default_storage_block;
DROP INDEX ix_block__name;
DROP INDEX ix_block__updated;
DROP INDEX uq_block__spec_id_name;
ALTER TABLE block_document RENAME block_spec_id TO block_schema_id;
ALTER TABLE block_document RENAME is_default_storage_block TO is_default_storage_block_document;
ALTER TABLE block_document DROP CONSTRAINT fk_block__block_spec_id__block_spec;
ALTER TABLE block_document DROP CONSTRAINT pk_block_data;
CREATE INDEX ix_block_document__is_default_storage_block_document ON block_document (is_default_storage_block_document);
CREATE INDEX ix_block_document__name ON block_document (name);
CREATE INDEX ix_block_document__updated ON block_document (updated);
CREATE UNIQUE INDEX uq_block__schema_id_name ON block_document (block_schema_id, name);
DROP INDEX ix_block_spec__type;
DROP INDEX ix_block_spec__updated;
DROP INDEX uq_block_spec__name_version;
CREATE INDEX ix_block_schema__type ON block_schema (type);
CREATE INDEX ix_block_schema__updated ON block_schema (updated);
CREATE UNIQUE INDEX uq_block_schema__name_version ON block_schema (name, version);
ALTER TABLE block_schema DROP CONSTRAINT pk_block_spec;
ALTER TABLE block_schema ADD CONSTRAINT pk_block_schema PRIMARY KEY (id);
ALTER TABLE block_document ADD CONSTRAINT pk_block_document PRIMARY KEY (id);
ALTER TABLE block_document ADD CONSTRAINT fk_block__block_schema_id__block_schema FOREIGN KEY (block_schema_id) REFERENCES block_schema (id) ON DELETE CASCADE;

-- revision 1c9390e2f9c6: Replace version with checksum and create block_type table
CREATE TABLE block_type (
    @standard,
    name VARCHAR NOT NULL,
    logo_url VARCHAR,
    documentation_url VARCHAR,
    CONSTRAINT pk_block_type PRIMARY KEY (id)
);
CREATE INDEX ix_block_type__updated ON block_type (updated);
CREATE UNIQUE INDEX uq_block_type__name ON block_type (name);
ALTER TABLE block_document ADD COLUMN block_type_id UUID;
DROP INDEX uq_block__schema_id_name;
CREATE UNIQUE INDEX uq_block__type_id_name ON block_document (block_type_id, name);
ALTER TABLE block_document ADD CONSTRAINT fk_block_document__block_type_id__block_type FOREIGN KEY (block_type_id) REFERENCES block_type (id) ON DELETE CASCADE;
ALTER TABLE block_schema ADD COLUMN checksum VARCHAR;
ALTER TABLE block_schema ADD COLUMN block_type_id UUID;
DROP INDEX uq_block_schema__name_version;
CREATE INDEX ix_block_schema__checksum ON block_schema (checksum);
CREATE UNIQUE INDEX uq_block_schema__checksum ON block_schema (checksum);
ALTER TABLE block_schema ADD CONSTRAINT fk_block_schema__block_type_id__block_type FOREIGN KEY (block_type_id) REFERENCES block_type (id) ON DELETE CASCADE;
ALTER TABLE block_schema DROP COLUMN version;
-- step make_block_types
ALTER TABLE block_schema DROP COLUMN name;
ALTER TABLE block_schema ALTER COLUMN checksum SET NOT NULL;
ALTER TABLE block_schema ALTER COLUMN block_type_id SET NOT NULL;
ALTER TABLE block_document ALTER COLUMN block_type_id SET NOT NULL;

-- revision dc7a3c6fd3e9: Add flow run alert policies
CREATE TABLE flow_run_alert_queue (
    @standard,
    flow_run_alert_policy_id UUID NOT NULL,
    flow_run_state_id UUID NOT NULL,
    CONSTRAINT pk_flow_run_alert_queue PRIMARY KEY (id)
);
CREATE INDEX ix_flow_run_alert_queue__updated ON flow_run_alert_queue (updated);
CREATE TABLE flow_run_alert_policy (
    @standard,
    name VARCHAR NOT NULL,
    is_active BOOLEAN DEFAULT '1' NOT NULL,
    state_names JSONB DEFAULT '[]' NOT NULL,
    tags JSONB DEFAULT '[]' NOT NULL,
    message_template VARCHAR,
    block_document_id UUID NOT NULL,
    CONSTRAINT pk_flow_run_alert PRIMARY KEY (id),
    CONSTRAINT fk_flow_run_alert_policy__block_document_id__block_document FOREIGN KEY (block_document_id) REFERENCES block_document (id) ON DELETE CASCADE
);
CREATE INDEX ix_flow_run_alert_policy__name ON flow_run_alert_policy (name);
CREATE INDEX ix_flow_run_alert_policy__updated ON flow_run_alert_policy (updated);

-- revision 724e6dcc6b5d: Add BlockSchema capabilities
ALTER TABLE block_schema ADD COLUMN capabilities JSONB DEFAULT '[]' NOT NULL;
UPDATE block_schema SET capabilities = '["writeable", "readable", "storage"]' WHERE type = 'STORAGE';
DROP INDEX ix_block_schema__type;
ALTER TABLE block_schema DROP COLUMN type;

-- revision 2fe6fe6ca16e: Adds block schema references and block document references
CREATE TABLE block_schema_reference (
    @standard,
    name VARCHAR NOT NULL,
    parent_block_schema_id UUID NOT NULL,
    reference_block_schema_id UUID NOT NULL,
    CONSTRAINT pk_block_schema_reference PRIMARY KEY (id),
    CONSTRAINT fk_block_schema_reference__parent_block_schema_id__block_schema FOREIGN KEY (parent_block_schema_id) REFERENCES block_schema (id) ON DELETE CASCADE,
    CONSTRAINT fk_block_schema_reference__reference_block_schema_id__b_6e5d FOREIGN KEY (reference_block_schema_id) REFERENCES block_schema (id) ON DELETE CASCADE
);
CREATE INDEX ix_block_schema_reference__updated ON block_schema_reference (updated);
CREATE TABLE block_document_reference (
    @standard,
    name VARCHAR NOT NULL,
    parent_block_document_id UUID NOT NULL,
    reference_block_document_id UUID NOT NULL,
    CONSTRAINT pk_block_document_reference PRIMARY KEY (id),
    CONSTRAINT fk_block_document_reference__parent_block_document_id___328f FOREIGN KEY (parent_block_document_id) REFERENCES block_document (id) ON DELETE CASCADE,
    CONSTRAINT fk_block_document_reference__reference_block_document_i_5759 FOREIGN KEY (reference_block_document_id) REFERENCES block_document (id) ON DELETE CASCADE
);
CREATE INDEX ix_block_document_reference__updated ON block_document_reference (updated);
-- step add_references_to_schemas

-- revision cdcb4018dd0e: Rename run alerts to run notifications
ALTER TABLE flow_run_alert_policy RENAME TO flow_run_notification_policy;
ALTER INDEX pk_flow_run_alert RENAME TO pk_flow_run_notification_policy;
ALTER INDEX ix_flow_run_alert_policy__name RENAME TO ix_flow_run_notification_policy__name;
ALTER INDEX ix_flow_run_alert_policy__updated RENAME TO ix_flow_run_notification_policy__updated;
ALTER TABLE flow_run_alert_queue RENAME TO flow_run_notification_queue;
ALTER INDEX pk_flow_run_alert_queue RENAME TO pk_flow_run_notification_queue;
ALTER INDEX ix_flow_run_alert_queue__updated RENAME TO ix_flow_run_notification_queue__updated;
ALTER TABLE flow_run_notification_queue RENAME flow_run_alert_policy_id TO flow_run_notification_policy_id;

-- revision 77ebcc9cf355: Add indexes for partial name matches
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE INDEX trgm_ix_flow_name ON flow USING gin (name gin_trgm_ops);
CREATE INDEX trgm_ix_flow_run_name ON flow_run USING gin (name gin_trgm_ops);
CREATE INDEX trgm_ix_task_run_name ON task_run USING gin (name gin_trgm_ops);
CREATE INDEX trgm_ix_deployment_name ON deployment USING gin (name gin_trgm_ops);

-- revision 3a7c41d3b464: Adds description and code example to block type
ALTER TABLE block_type ADD COLUMN description VARCHAR;
ALTER TABLE block_type ADD COLUMN code_example VARCHAR;

-- revision 61c76ee09e02: Add anonymous column for block documents
ALTER TABLE block_document ADD COLUMN is_anonymous BOOLEAN DEFAULT '0' NOT NULL;
CREATE INDEX ix_block_document__is_anonymous ON block_document (is_anonymous);

-- revision d335ad57d5ba: Add block schema indexes
CREATE INDEX ix_block_schema__block_type_id ON block_schema (block_type_id);
CREATE INDEX ix_block_schema__created ON block_schema (created);
DROP INDEX ix_block_schema__checksum;

-- revision 29ad9bef6147: Adds indexes for block filtering
CREATE INDEX trgm_ix_block_type_name ON block_type USING gin (name gin_trgm_ops);
CREATE INDEX ix_block_schema__capabilities ON block_schema USING gin (capabilities);

-- revision 7296741dff68: Add protected column for block types
ALTER TABLE block_type ADD COLUMN is_protected BOOLEAN DEFAULT '0' NOT NULL;

-- revision 2f46fc3f3beb: Remove name column for notification policies
DROP INDEX ix_flow_run_notification_policy__name;
ALTER TABLE flow_run_notification_policy DROP COLUMN name;

-- revision 813ddf14e2de: Add descriptions to deployments
ALTER TABLE deployment ADD COLUMN description TEXT;

-- revision 4cdc2ba709a4: Migrates block schemas with new secrets fields
INSERT INTO block_schema (checksum, fields, block_type_id, capabilities)
    SELECT 'sha256:68ed6efe6ab724c5f36519803012af68a22965eccfa5944c94fa809b8b9a6e04', '{"title": "S3StorageBlock", "description": "Store data in an AWS S3 bucket.", "type": "object", "properties": {"bucket": {"title": "Bucket", "type": "string"}, "aws_access_key_id": {"title": "Aws Access Key Id", "type": "string"}, "aws_secret_access_key": {"title": "Aws Secret Access Key", "type": "string", "writeOnly": true, "format": "password"}, "aws_session_token": {"title": "Aws Session Token", "type": "string"}, "profile_name": {"title": "Profile Name", "type": "string"}, "region_name": {"title": "Region Name", "type": "string"}}, "required": ["bucket"], "block_type_name": "S3 Storage", "secret_fields": ["aws_secret_access_key"], "block_schema_references": {}}',
        t.id, '["readable", "storage", "writeable"]'
    FROM block_type t WHERE t.name = 'S3 Storage'
        AND EXISTS (SELECT 1 FROM block_schema WHERE checksum = 'sha256:3ffda32926202a34fc30d7618e4792f71088d37fbcf92c18d070104ca6da7431')
        AND NOT EXISTS (SELECT 1 FROM block_schema WHERE checksum = 'sha256:68ed6efe6ab724c5f36519803012af68a22965eccfa5944c94fa809b8b9a6e04');
UPDATE block_document SET block_schema_id = (SELECT id FROM block_schema WHERE checksum = 'sha256:68ed6efe6ab724c5f36519803012af68a22965eccfa5944c94fa809b8b9a6e04')
    WHERE block_schema_id IN (SELECT id FROM block_schema WHERE checksum = 'sha256:3ffda32926202a34fc30d7618e4792f71088d37fbcf92c18d070104ca6da7431')
        AND EXISTS (SELECT 1 FROM block_type WHERE name = 'S3 Storage');
DELETE FROM block_schema WHERE checksum = 'sha256:3ffda32926202a34fc30d7618e4792f71088d37fbcf92c18d070104ca6da7431'
    AND EXISTS (SELECT 1 FROM block_type WHERE name = 'S3 Storage');
INSERT INTO block_schema (checksum, fields, block_type_id, capabilities)
    SELECT 'sha256:2aef5e384a1f4a2d8dd0ff8c3b96d2c5eb5852462078b6915f7d756847341a42', '{"title": "AzureBlobStorageBlock", "description": "Store data in an Azure blob storage container.", "type": "object", "properties": {"container": {"title": "Container", "type": "string"}, "connection_string": {"title": "Connection String", "type": "string", "writeOnly": true, "format": "password"}}, "required": ["container", "connection_string"], "block_type_name": "Azure Blob Storage", "secret_fields": ["connection_string"], "block_schema_references": {}}',
        t.id, '["readable", "storage", "writeable"]'
    FROM block_type t WHERE t.name = 'Azure Blob Storage'
        AND EXISTS (SELECT 1 FROM block_schema WHERE checksum = 'sha256:4488e8f7d196f7627e3ead24ca136860f0a54d54f6c98533cf3ef2f4ba9cf51b')
        AND NOT EXISTS (SELECT 1 FROM block_schema WHERE checksum = 'sha256:2aef5e384a1f4a2d8dd0ff8c3b96d2c5eb5852462078b6915f7d756847341a42');
UPDATE block_document SET block_schema_id = (SELECT id FROM block_schema WHERE checksum = 'sha256:2aef5e384a1f4a2d8dd0ff8c3b96d2c5eb5852462078b6915f7d756847341a42')
    WHERE block_schema_id IN (SELECT id FROM block_schema WHERE checksum = 'sha256:4488e8f7d196f7627e3ead24ca136860f0a54d54f6c98533cf3ef2f4ba9cf51b')
        AND EXISTS (SELECT 1 FROM block_type WHERE name = 'Azure Blob Storage');
DELETE FROM block_schema WHERE checksum = 'sha256:4488e8f7d196f7627e3ead24ca136860f0a54d54f6c98533cf3ef2f4ba9cf51b'
    AND EXISTS (SELECT 1 FROM block_type WHERE name = 'Azure Blob Storage');

-- revision e905fd199258: Removes DebugPrintNotification block type
DELETE FROM block_type WHERE name = 'Debug Print Notification';

-- revision 112c68143fc3: Add infrastructure document id to deployments
ALTER TABLE deployment ADD COLUMN infrastructure_document_id UUID;
ALTER TABLE deployment ADD CONSTRAINT fk_deployment__infrastructure_document_id__block_document FOREIGN KEY (infrastructure_document_id) REFERENCES block_document (id) ON DELETE CASCADE;
ALTER TABLE flow_run ADD COLUMN infrastructure_document_id UUID;
ALTER TABLE flow_run ADD CONSTRAINT fk_flow_run__infrastructure_document_id__block_document FOREIGN KEY (infrastructure_document_id) REFERENCES block_document (id) ON DELETE CASCADE;

-- revision 0f27d462bf6d: Removing default storage block document
DROP INDEX ix_block_document__is_default_storage_block_document;
ALTER TABLE block_document DROP COLUMN is_default_storage_block_document;

-- revision bb4dc90d3e29: Renames existing block types and deletes removed block types
UPDATE block_type SET name = 'Date Time' WHERE name = 'DateTime';
UPDATE block_type SET name = 'Environment Variable' WHERE name = 'EnvironmentVariable';
UPDATE block_type SET name = 'Kubernetes Cluster Config' WHERE name = 'KubernetesClusterConfig';
UPDATE block_type SET name = 'Local File System' WHERE name = 'LocalFileSystem';
UPDATE block_type SET name = 'Remote File System' WHERE name = 'RemoteFileSystem';
DELETE FROM block_type WHERE name IN ('Azure Blob Storage', 'File Storage', 'Google Cloud Storage', 'KV Server Storage',
    'Local Storage', 'S3 Storage', 'Temporary Local Storage');

-- revision 0cf7311d6ea6: Add Crashed state type
ALTER TYPE state_type ADD VALUE IF NOT EXISTS 'CRASHED';

-- revision e085c9cbf8ce: Remove flow runners
ALTER TABLE deployment DROP COLUMN flow_runner_type;
ALTER TABLE deployment DROP COLUMN flow_runner_config;
ALTER TABLE deployment DROP COLUMN description;
DROP INDEX ix_flow_run__flow_runner_type;
ALTER TABLE flow_run DROP COLUMN flow_runner_type;
ALTER TABLE flow_run DROP COLUMN flow_runner_config;
ALTER TABLE flow_run DROP COLUMN empirical_config;

-- revision 4ff2f2bf81f4: Adds block type slug
ALTER TABLE block_type ADD COLUMN slug VARCHAR;
DROP INDEX uq_block_type__name;
CREATE UNIQUE INDEX uq_block_type__slug ON block_type (slug);
-- step make_slugs
ALTER TABLE block_type ALTER COLUMN slug SET NOT NULL;

-- revision add97ce1937d: Update deployments to include more information
ALTER TABLE deployment ADD COLUMN description TEXT;
ALTER TABLE deployment ADD COLUMN manifest_path VARCHAR;
UPDATE deployment SET manifest_path = '';
UPDATE deployment SET is_schedule_active = FALSE;
ALTER TABLE deployment ADD COLUMN parameter_openapi_schema JSONB;
ALTER TABLE deployment ADD COLUMN storage_document_id UUID;
ALTER TABLE deployment ADD CONSTRAINT fk_deployment__storage_document_id__block_document FOREIGN KEY (storage_document_id) REFERENCES block_document (id) ON DELETE CASCADE;

-- revision fa985d474982: add-index-to-flow-run-infrastructure_document_id
CREATE INDEX ix_flow_run__infrastructure_document_id ON flow_run (infrastructure_document_id);

-- revision 97e212ea6545: Add deployment.version
ALTER TABLE deployment ADD COLUMN version VARCHAR;

-- revision 7737221bf8a4: Fix name on concurrency_limit.tag index
ALTER INDEX ix_concurrency_limit__tag RENAME TO uq_concurrency_limit__tag;

-- revision 60e428f92a75: Expand deployment schema for improved ux
ALTER TABLE deployment ADD COLUMN infra_overrides JSONB DEFAULT '{}' NOT NULL;
ALTER TABLE deployment ADD COLUMN path VARCHAR;
ALTER TABLE deployment ADD COLUMN entrypoint VARCHAR;

-- revision 77eb737fc759: Add work queue name to runs
ALTER TABLE deployment ADD COLUMN work_queue_name VARCHAR;
CREATE INDEX ix_deployment__work_queue_name ON deployment (work_queue_name);
ALTER TABLE flow_run ADD COLUMN work_queue_name VARCHAR;
CREATE INDEX ix_flow_run__work_queue_name ON flow_run (work_queue_name);
ALTER TABLE work_queue ALTER COLUMN filter DROP NOT NULL;
ALTER TABLE work_queue ALTER COLUMN filter DROP DEFAULT;

-- revision 2d5e000696f1: Adds block schema version
ALTER TABLE block_schema ADD COLUMN version VARCHAR DEFAULT 'non-versioned' NOT NULL;
DROP INDEX uq_block_schema__checksum;
CREATE UNIQUE INDEX uq_block_schema__checksum_version ON block_schema (checksum, version);

-- revision 22b7cb02e593: Add state_timestamp
ALTER TABLE flow_run ADD COLUMN state_timestamp TIMESTAMPTZ;
CREATE INDEX ix_flow_run__state_timestamp ON flow_run (state_timestamp);
ALTER TABLE task_run ADD COLUMN state_timestamp TIMESTAMPTZ;
CREATE INDEX ix_task_run__state_timestamp ON task_run (state_timestamp);
UPDATE flow_run SET state_timestamp = (SELECT s.timestamp FROM flow_run_state s WHERE s.id = flow_run.state_id)
    WHERE state_timestamp IS NULL AND state_id IS NOT NULL;
UPDATE task_run SET state_timestamp = (SELECT s.timestamp FROM task_run_state s WHERE s.id = task_run.state_id)
    WHERE state_timestamp IS NULL AND state_id IS NOT NULL;

-- revision ad4b1b4d1e9d: Index deployment.created
CREATE INDEX ix_deployment__created ON deployment (created);

-- revision 6d548701edef: add_created_by
ALTER TABLE deployment ADD COLUMN created_by JSONB;
ALTER TABLE deployment ADD COLUMN updated_by JSONB;
ALTER TABLE flow_run ADD COLUMN created_by JSONB;

-- revision 3ced59d8806b: Add last_polled
ALTER TABLE work_queue ADD COLUMN last_polled TIMESTAMPTZ;

-- revision 8ea825da948d: Add retry and restart metadata
ALTER TABLE task_run ADD COLUMN flow_run_run_count INTEGER DEFAULT '0' NOT NULL;

-- revision 41e5ed9e1034: empty message
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE INDEX trgm_ix_work_queue_name ON work_queue USING gin (name gin_trgm_ops);

-- revision 54c1876c68ae: Add index for scheduled deployments
CREATE INDEX ix_flow_run__scheduler_deployment_id_auto_scheduled_next_scheduled_start_time ON flow_run (deployment_id, auto_scheduled, next_scheduled_start_time) WHERE state_type = 'SCHEDULED';

-- revision 8caf7c1fd82c: Add indices for coalesced `start time` sorts
CREATE INDEX ix_flow_run__coalesce_start_time_expected_start_time_asc ON flow_run (coalesce(start_time, expected_start_time) ASC);
CREATE INDEX ix_flow_run__coalesce_start_time_expected_start_time_desc ON flow_run (coalesce(start_time, expected_start_time) DESC);

-- revision 5d526270ddb4: Add FlowRun.infrastructure_pid
ALTER TABLE flow_run ADD COLUMN infrastructure_pid VARCHAR;

-- revision 5e4f924ff96c: Add PAUSED to state type enum
ALTER TYPE state_type ADD VALUE IF NOT EXISTS 'PAUSED';

-- revision f7587d6c5776: Add worker tables
CREATE TABLE worker_pool (
    @standard,
    name VARCHAR NOT NULL,
    description VARCHAR,
    type VARCHAR,
    base_job_template JSONB DEFAULT '{}' NOT NULL,
    is_paused BOOLEAN DEFAULT '0' NOT NULL,
    concurrency_limit INTEGER,
    default_queue_id UUID,
    CONSTRAINT pk_worker_pool PRIMARY KEY (id),
    CONSTRAINT uq_worker_pool__name UNIQUE (name)
);
CREATE INDEX ix_worker_pool__updated ON worker_pool (updated);
CREATE INDEX ix_worker_pool__type ON worker_pool (type);
CREATE TABLE worker (
    @standard,
    name VARCHAR NOT NULL,
    last_heartbeat_time TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP NOT NULL,
    worker_pool_id UUID NOT NULL,
    CONSTRAINT pk_worker PRIMARY KEY (id),
    CONSTRAINT uq_worker__worker_pool_id_name UNIQUE (worker_pool_id, name),
    CONSTRAINT fk_worker__worker_pool_id__worker_pool FOREIGN KEY (worker_pool_id) REFERENCES worker_pool (id) ON DELETE CASCADE
);
CREATE INDEX ix_worker__updated ON worker (updated);
CREATE INDEX ix_worker__worker_pool_id ON worker (worker_pool_id);
CREATE INDEX ix_worker__worker_pool_id_last_heartbeat_time ON worker (worker_pool_id, last_heartbeat_time);
CREATE TABLE worker_pool_queue (
    @standard,
    name VARCHAR NOT NULL,
    description VARCHAR,
    is_paused BOOLEAN DEFAULT '0' NOT NULL,
    concurrency_limit INTEGER,
    priority INTEGER NOT NULL,
    worker_pool_id UUID NOT NULL,
    CONSTRAINT pk_worker_pool_queue PRIMARY KEY (id),
    CONSTRAINT uq_worker_pool_queue__worker_pool_id_name UNIQUE (worker_pool_id, name),
    CONSTRAINT fk_worker_pool_queue__worker_pool_id__worker_pool FOREIGN KEY (worker_pool_id) REFERENCES worker_pool (id) ON DELETE CASCADE
);
CREATE INDEX ix_worker_pool_queue__updated ON worker_pool_queue (updated);
CREATE INDEX ix_worker_pool_queue__worker_pool_id_priority ON worker_pool_queue (worker_pool_id, priority);
CREATE INDEX ix_worker_pool_queue__worker_pool_id ON worker_pool_queue (worker_pool_id);
ALTER TABLE worker_pool ADD CONSTRAINT fk_worker_pool__default_queue_id__worker_pool_queue FOREIGN KEY (default_queue_id) REFERENCES worker_pool_queue (id) ON DELETE RESTRICT;
ALTER TABLE deployment ADD COLUMN worker_pool_queue_id UUID;
CREATE INDEX ix_deployment__worker_pool_queue_id ON deployment (worker_pool_queue_id);
ALTER TABLE deployment ADD CONSTRAINT fk_deployment__worker_pool_queue_id__worker_pool_queue FOREIGN KEY (worker_pool_queue_id) REFERENCES worker_pool_queue (id) ON DELETE SET NULL;
ALTER TABLE flow_run ADD COLUMN worker_pool_queue_id UUID;
CREATE INDEX ix_flow_run__worker_pool_queue_id ON flow_run (worker_pool_queue_id);
ALTER TABLE flow_run ADD CONSTRAINT fk_flow_run__worker_pool_queue_id__worker_pool_queue FOREIGN KEY (worker_pool_queue_id) REFERENCES worker_pool_queue (id) ON DELETE SET NULL;

-- revision d481d5058a19: Rename Worker Pools to Work Pools
ALTER TABLE deployment DROP COLUMN worker_pool_queue_id;
ALTER TABLE flow_run DROP COLUMN worker_pool_queue_id;
ALTER TABLE worker_pool DROP CONSTRAINT fk_worker_pool__default_queue_id__worker_pool_queue;
DROP TABLE worker_pool_queue;
DROP TABLE worker;
DROP TABLE worker_pool;
CREATE TABLE work_pool (
    @standard,
    name VARCHAR NOT NULL,
    description VARCHAR,
    type VARCHAR,
    base_job_template JSONB DEFAULT '{}' NOT NULL,
    is_paused BOOLEAN DEFAULT '0' NOT NULL,
    concurrency_limit INTEGER,
    default_queue_id UUID,
    CONSTRAINT pk_work_pool PRIMARY KEY (id),
    CONSTRAINT uq_work_pool__name UNIQUE (name)
);
CREATE INDEX ix_work_pool__updated ON work_pool (updated);
CREATE INDEX ix_work_pool__type ON work_pool (type);
CREATE TABLE worker (
    @standard,
    name VARCHAR NOT NULL,
    last_heartbeat_time TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP NOT NULL,
    work_pool_id UUID NOT NULL,
    CONSTRAINT pk_worker PRIMARY KEY (id),
    CONSTRAINT uq_worker__work_pool_id_name UNIQUE (work_pool_id, name),
    CONSTRAINT fk_worker__work_pool_id__work_pool FOREIGN KEY (work_pool_id) REFERENCES work_pool (id) ON DELETE CASCADE
);
CREATE INDEX ix_worker__updated ON worker (updated);
CREATE INDEX ix_worker__work_pool_id ON worker (work_pool_id);
CREATE INDEX ix_worker__work_pool_id_last_heartbeat_time ON worker (work_pool_id, last_heartbeat_time);
CREATE TABLE work_pool_queue (
    @standard,
    name VARCHAR NOT NULL,
    description VARCHAR,
    is_paused BOOLEAN DEFAULT '0' NOT NULL,
    concurrency_limit INTEGER,
    priority INTEGER NOT NULL,
    work_pool_id UUID NOT NULL,
    CONSTRAINT pk_work_pool_queue PRIMARY KEY (id),
    CONSTRAINT uq_work_pool_queue__work_pool_id_name UNIQUE (work_pool_id, name),
    CONSTRAINT fk_work_pool_queue__work_pool_id__work_pool FOREIGN KEY (work_pool_id) REFERENCES work_pool (id) ON DELETE CASCADE
);
CREATE INDEX ix_work_pool_queue__updated ON work_pool_queue (updated);
CREATE INDEX ix_work_pool_queue__work_pool_id_priority ON work_pool_queue (work_pool_id, priority);
CREATE INDEX ix_work_pool_queue__work_pool_id ON work_pool_queue (work_pool_id);
ALTER TABLE work_pool ADD CONSTRAINT fk_work_pool__default_queue_id__work_pool_queue FOREIGN KEY (default_queue_id) REFERENCES work_pool_queue (id) ON DELETE RESTRICT;
ALTER TABLE deployment ADD COLUMN work_pool_queue_id UUID;
CREATE INDEX ix_deployment__work_pool_queue_id ON deployment (work_pool_queue_id);
ALTER TABLE deployment ADD CONSTRAINT fk_deployment__work_pool_queue_id__work_pool_queue FOREIGN KEY (work_pool_queue_id) REFERENCES work_pool_queue (id) ON DELETE SET NULL;
ALTER TABLE flow_run ADD COLUMN work_pool_queue_id UUID;
CREATE INDEX ix_flow_run__work_pool_queue_id ON flow_run (work_pool_queue_id);
ALTER TABLE flow_run ADD CONSTRAINT fk_flow_run__work_pool_queue_id__work_pool_queue FOREIGN KEY (work_pool_queue_id) REFERENCES work_pool_queue (id) ON DELETE SET NULL;

-- revision 9326a6aee18b: Add CANCELLING to state type enum
ALTER TYPE state_type ADD VALUE IF NOT EXISTS 'CANCELLING';

-- revision 2882cd2df463: Implements the artifact table and migrates run results
CREATE TABLE artifact (
    @standard,
    key VARCHAR,
    type VARCHAR,
    data JSON,
    metadata_ JSON,
    task_run_id UUID,
    task_run_state_id UUID,
    flow_run_id UUID,
    flow_run_state_id UUID,
    CONSTRAINT pk_artifact PRIMARY KEY (id),
    CONSTRAINT fk_artifact__flow_run_id__flow_run FOREIGN KEY (flow_run_id) REFERENCES flow_run (id),
    CONSTRAINT fk_artifact__flow_run_state_id__flow_run_state FOREIGN KEY (flow_run_state_id) REFERENCES flow_run_state (id),
    CONSTRAINT fk_artifact__task_run_id__task_run FOREIGN KEY (task_run_id) REFERENCES task_run (id),
    CONSTRAINT fk_artifact__task_run_state_id__task_run_state FOREIGN KEY (task_run_state_id) REFERENCES task_run_state (id)
);
CREATE INDEX ix_artifact__flow_run_id ON artifact (flow_run_id);
CREATE INDEX ix_artifact__flow_run_state_id ON artifact (flow_run_state_id);
CREATE UNIQUE INDEX ix_artifact__key ON artifact (key);
CREATE INDEX ix_artifact__task_run_id ON artifact (task_run_id);
CREATE INDEX ix_artifact__task_run_state_id ON artifact (task_run_state_id);
CREATE INDEX ix_artifact__updated ON artifact (updated);
ALTER TABLE flow_run_state ADD COLUMN result_artifact_id UUID;
CREATE INDEX ix_flow_run_state__result_artifact_id ON flow_run_state (result_artifact_id);
ALTER TABLE flow_run_state ADD CONSTRAINT fk_flow_run_state__result_artifact_id__artifact FOREIGN KEY (result_artifact_id) REFERENCES artifact (id) ON DELETE SET NULL;
ALTER TABLE task_run_state ADD COLUMN result_artifact_id UUID;
CREATE INDEX ix_task_run_state__result_artifact_id ON task_run_state (result_artifact_id);
ALTER TABLE task_run_state ADD CONSTRAINT fk_task_run_state__result_artifact_id__artifact FOREIGN KEY (result_artifact_id) REFERENCES artifact (id) ON DELETE SET NULL;

-- revision 2882cd2df464: Adds a helper index for the artifact data migration
ALTER TABLE flow_run_state ADD COLUMN has_data BOOLEAN;
CREATE INDEX ix_flow_run_state__has_data ON flow_run_state (has_data);
ALTER TABLE task_run_state ADD COLUMN has_data BOOLEAN;
CREATE INDEX ix_task_run_state__has_data ON task_run_state (has_data);
UPDATE flow_run_state SET has_data = (data IS NOT NULL AND data != 'null') WHERE has_data IS NULL;
UPDATE task_run_state SET has_data = (data IS NOT NULL AND data != 'null') WHERE has_data IS NULL;

-- revision 2882cd2df465: Migrates state data to the artifact table
INSERT INTO artifact (task_run_state_id, task_run_id, data)
    SELECT id, task_run_id, data FROM task_run_state WHERE has_data IS TRUE ORDER BY id;
UPDATE task_run_state SET result_artifact_id = (SELECT a.id FROM artifact a WHERE a.task_run_state_id = task_run_state.id)
    WHERE has_data IS TRUE AND result_artifact_id IS NULL;
INSERT INTO artifact (flow_run_state_id, flow_run_id, data)
    SELECT id, flow_run_id, data FROM flow_run_state WHERE has_data IS TRUE ORDER BY id;
UPDATE flow_run_state SET result_artifact_id = (SELECT a.id FROM artifact a WHERE a.flow_run_state_id = flow_run_state.id)
    WHERE has_data IS TRUE AND result_artifact_id IS NULL;

-- revision 2882cd2df466: State data migration cleanup
DROP INDEX ix_artifact__task_run_state_id;
ALTER TABLE artifact DROP COLUMN task_run_state_id;
DROP INDEX ix_artifact__flow_run_state_id;
ALTER TABLE artifact DROP COLUMN flow_run_state_id;
DROP INDEX ix_flow_run_state__has_data;
ALTER TABLE flow_run_state DROP COLUMN has_data;
DROP INDEX ix_task_run_state__has_data;
ALTER TABLE task_run_state DROP COLUMN has_data;

-- revision 0a1250a5aa25: Expand work queue table
ALTER TABLE work_pool DROP CONSTRAINT fk_work_pool__default_queue_id__work_pool_queue;
DROP INDEX ix_deployment__work_pool_queue_id;
ALTER TABLE deployment DROP COLUMN work_pool_queue_id;
DROP INDEX ix_flow_run__work_pool_queue_id;
ALTER TABLE flow_run DROP COLUMN work_pool_queue_id;
ALTER TABLE work_queue ADD COLUMN priority INTEGER DEFAULT '1' NOT NULL;
ALTER TABLE work_queue ADD COLUMN work_pool_id UUID;
ALTER TABLE flow_run ADD COLUMN work_queue_id UUID;
CREATE INDEX ix_flow_run__work_queue_id ON flow_run (work_queue_id);
ALTER TABLE flow_run ADD CONSTRAINT fk_flow_run__work_queue_id__work_queue FOREIGN KEY (work_queue_id) REFERENCES work_queue (id) ON DELETE SET NULL;
ALTER TABLE deployment ADD COLUMN work_queue_id UUID;
CREATE INDEX ix_deployment__work_queue_id ON deployment (work_queue_id);
ALTER TABLE deployment ADD CONSTRAINT fk_deployment__work_queue_id__work_queue FOREIGN KEY (work_queue_id) REFERENCES work_queue (id) ON DELETE SET NULL;
ALTER TABLE work_pool ADD CONSTRAINT fk_work_pool__default_queue_id__work_queue FOREIGN KEY (default_queue_id) REFERENCES work_queue (id) ON DELETE RESTRICT;
ALTER TABLE work_pool ALTER COLUMN type SET NOT NULL;
ALTER TABLE work_queue ADD CONSTRAINT fk_work_queue__work_pool_id__work_pool FOREIGN KEY (work_pool_id) REFERENCES work_pool (id) ON DELETE CASCADE;
CREATE INDEX ix_work_queue__work_pool_id ON work_queue (work_pool_id);
CREATE INDEX ix_work_queue__work_pool_id_priority ON work_queue (work_pool_id, priority);

-- revision f98ae6d8e2cc: Work queue data migration
INSERT INTO work_pool (name, type) SELECT 'default-agent-pool', 'prefect-agent'
    WHERE EXISTS (SELECT 1 FROM work_queue WHERE work_pool_id IS NULL);
INSERT INTO work_queue (name, work_pool_id)
    SELECT 'default', id FROM work_pool WHERE name = 'default-agent-pool'
        AND NOT EXISTS (SELECT 1 FROM work_queue WHERE name = 'default');
UPDATE work_queue SET work_pool_id = (SELECT id FROM work_pool WHERE name = 'default-agent-pool')
    WHERE work_pool_id IS NULL;
UPDATE work_pool SET default_queue_id = (SELECT q.id FROM work_queue q WHERE q.name = 'default'
        AND q.work_pool_id = work_pool.id)
    WHERE name = 'default-agent-pool';
-- step number_queues
UPDATE flow_run SET work_queue_id = (SELECT q.id FROM work_queue q JOIN work_pool p ON p.id = q.work_pool_id
        WHERE p.name = 'default-agent-pool' AND q.name = flow_run.work_queue_name)
    WHERE work_queue_id IS NULL AND work_queue_name IN (SELECT q.name FROM work_queue q
        JOIN work_pool p ON p.id = q.work_pool_id WHERE p.name = 'default-agent-pool');
UPDATE deployment SET work_queue_id = (SELECT q.id FROM work_queue q JOIN work_pool p ON p.id = q.work_pool_id
        WHERE p.name = 'default-agent-pool' AND q.name = deployment.work_queue_name)
    WHERE work_queue_id IS NULL AND work_queue_name IN (SELECT q.name FROM work_queue q
        JOIN work_pool p ON p.id = q.work_pool_id WHERE p.name = 'default-agent-pool');
ALTER TABLE work_queue DROP CONSTRAINT uq_work_queue__name;
ALTER TABLE work_queue ADD CONSTRAINT uq_work_queue__work_pool_id_name UNIQUE (work_pool_id, name);
ALTER TABLE work_queue ALTER COLUMN work_pool_id SET NOT NULL;

-- revision 2a88656f4a23: Clean up work queue migration
DROP INDEX ix_work_pool_queue__updated;
DROP INDEX ix_work_pool_queue__work_pool_id;
DROP INDEX ix_work_pool_queue__work_pool_id_priority;
DROP TABLE work_pool_queue;
ALTER TABLE work_queue ALTER COLUMN work_pool_id SET NOT NULL;

-- revision cfdfec5d7557: Remove Artifact foreign keys
ALTER TABLE artifact DROP CONSTRAINT fk_artifact__task_run_id__task_run;
ALTER TABLE artifact DROP CONSTRAINT fk_artifact__flow_run_id__flow_run;

-- revision 7d918a392297: remove_flowrun_deployment_fk
ALTER TABLE flow_run DROP CONSTRAINT IF EXISTS fk_flow_run__deployment_id__deployment;

-- revision 4a1a0e4f89de: Add description column to artifact table
ALTER TABLE artifact ADD COLUMN description VARCHAR;

-- revision aa84ac237ce8: Removes unique constraint from artifact table key column
DROP INDEX ix_artifact__key;
CREATE INDEX ix_artifact__key ON artifact (key);

-- revision d20618ce678e: Add artifact_collection table
CREATE TABLE artifact_collection (
    @standard,
    key VARCHAR NOT NULL,
    latest_id UUID,
    CONSTRAINT pk_artifact_collection PRIMARY KEY (id),
    CONSTRAINT uq_artifact_collection__key UNIQUE (key)
);
CREATE INDEX ix_artifact_collection__key_latest_id ON artifact_collection (key, latest_id);

-- revision 46bd82c6279a: Add index on artifact
CREATE INDEX ix_artifact__key_created_desc ON artifact (key, created DESC) INCLUDE (id, updated, type, task_run_id, flow_run_id);

-- revision 3bf47e3ce2dd: add_index_on_log
CREATE INDEX ix_log__flow_run_id_timestamp ON log (flow_run_id, timestamp);

-- revision 6a1eb3d442e4: Add cols to artifact_collection
ALTER TABLE artifact_collection ADD COLUMN task_run_id UUID;
ALTER TABLE artifact_collection ADD COLUMN flow_run_id UUID;
ALTER TABLE artifact_collection ADD COLUMN type VARCHAR;
ALTER TABLE artifact_collection ADD COLUMN data JSON;
ALTER TABLE artifact_collection ADD COLUMN description VARCHAR;
ALTER TABLE artifact_collection ADD COLUMN metadata_ JSON;

-- revision 43c94d4c7aa3: Add pull steps column to deployment
ALTER TABLE deployment ADD COLUMN pull_steps JSONB;

-- revision 310dda75f561: add_variables
CREATE TABLE variable (
    @standard,
    name VARCHAR NOT NULL,
    value VARCHAR NOT NULL,
    tags JSONB DEFAULT '[]' NOT NULL,
    CONSTRAINT pk_variable PRIMARY KEY (id),
    CONSTRAINT uq_variable__name UNIQUE (name)
);
CREATE INDEX ix_variable__updated ON variable (updated);

-- revision 15f5083c16bd: Migrate artifact data to artifact_collection table
UPDATE artifact_collection SET (data, description, flow_run_id, task_run_id, type, metadata_) =
        (SELECT a.data, a.description, a.flow_run_id, a.task_run_id, a.type, a.metadata_ FROM artifact a
            WHERE a.id = artifact_collection.latest_id)
    WHERE latest_id IN (SELECT id FROM artifact);

-- revision 5f623ddbf7fe: Create concurrency_limit_v2 table
CREATE TABLE concurrency_limit_v2 (
    @standard,
    active BOOLEAN NOT NULL,
    name VARCHAR NOT NULL,
    "limit" INTEGER NOT NULL,
    active_slots INTEGER NOT NULL,
    denied_slots INTEGER NOT NULL,
    slot_decay_per_second FLOAT,
    avg_slot_occupancy_seconds FLOAT NOT NULL,
    CONSTRAINT pk_concurrency_limit_v2 PRIMARY KEY (id),
    CONSTRAINT uq_concurrency_limit_v2__name UNIQUE (name)
);
CREATE INDEX ix_concurrency_limit_v2__updated ON concurrency_limit_v2 (updated);

-- revision 50f8c182c3ca: Adds heartbeat_interval_seconds column to worker table
ALTER TABLE worker ADD COLUMN heartbeat_interval_seconds INTEGER;

-- revision db0eb3973a54: Adds enforce_parameter_schema column to deployment table
ALTER TABLE deployment ADD COLUMN enforce_parameter_schema BOOLEAN DEFAULT '0' NOT NULL;

-- revision 4e9a6f93eb6c: Make slot_decay_per_second not nullable
UPDATE concurrency_limit_v2 SET slot_decay_per_second = 0.0 WHERE slot_decay_per_second IS NULL;
ALTER TABLE concurrency_limit_v2 ALTER COLUMN slot_decay_per_second SET NOT NULL;

-- revision 05ea6f882b1d: Make flow_run_id nullable on task_run and log tables
ALTER TABLE task_run ALTER COLUMN flow_run_id DROP NOT NULL;
ALTER TABLE log ALTER COLUMN flow_run_id DROP NOT NULL;

-- revision bfe653bbf62e: Add `last_polled` to deployment
ALTER TABLE deployment ADD COLUMN last_polled TIMESTAMPTZ;

-- revision cef24af2ec34: Add block_type_name to block document
ALTER TABLE block_document ADD COLUMN block_type_name VARCHAR;
CREATE INDEX ix_block_document__block_type_name__name ON block_document (block_type_name, name);
UPDATE block_document SET block_type_name = (SELECT t.name FROM block_type t WHERE t.id = block_document.block_type_id)
    WHERE block_type_name IS NULL;

-- revision 9c493c02ca6d: Add trgm index to block_document.name
CREATE INDEX trgm_ix_block_document_name ON block_document USING gin (name gin_trgm_ops);

-- revision 733ca1903976: Create `flow_run_input` table
CREATE TABLE flow_run_input (
    @standard,
    key VARCHAR NOT NULL,
    value TEXT NOT NULL,
    flow_run_id UUID NOT NULL,
    CONSTRAINT pk_flow_run_input PRIMARY KEY (id),
    CONSTRAINT uq_flow_run_input__flow_run_id_key UNIQUE (flow_run_id, key)
);
CREATE INDEX ix_flow_run_input__updated ON flow_run_input (updated);

-- revision 7c453555d3a5: Make `FlowRunInput.flow_run_id` a foreign key to `flow_run`
ALTER TABLE flow_run_input ADD CONSTRAINT fk_flow_run_input__flow_run_id__flow_run FOREIGN KEY (flow_run_id) REFERENCES flow_run (id) ON DELETE CASCADE;

-- revision 6b63c51c31b4: Add `sender` to `FlowRunInput`
ALTER TABLE flow_run_input ADD COLUMN sender VARCHAR;

-- revision 8cf4d4933848: Create `deployment_schedule` and add `Deployment.paused`
CREATE TABLE deployment_schedule (
    @standard,
    schedule JSONB NOT NULL,
    active BOOLEAN NOT NULL,
    deployment_id UUID NOT NULL,
    CONSTRAINT pk_deployment_schedule PRIMARY KEY (id),
    CONSTRAINT fk_deployment_schedule__deployment_id__deployment FOREIGN KEY (deployment_id) REFERENCES deployment (id) ON DELETE CASCADE
);
CREATE INDEX ix_deployment_schedule__deployment_id ON deployment_schedule (deployment_id);
CREATE INDEX ix_deployment_schedule__updated ON deployment_schedule (updated);
ALTER TABLE deployment ADD COLUMN paused BOOLEAN DEFAULT '0' NOT NULL;
CREATE INDEX ix_deployment__paused ON deployment (paused);
INSERT INTO deployment_schedule (deployment_id, schedule, active)
    SELECT id, schedule, is_schedule_active FROM deployment WHERE schedule IS NOT NULL AND schedule != 'null';
UPDATE deployment SET paused = NOT is_schedule_active WHERE paused = is_schedule_active;

-- revision 121699507574: Add job_variables column to flow-runs
ALTER TABLE flow_run ADD COLUMN job_variables JSONB DEFAULT '{}';

-- revision 7a653837d9ba: Create csrf_token toble
CREATE TABLE csrf_token (
    token VARCHAR NOT NULL,
    client VARCHAR NOT NULL,
    expiration TIMESTAMPTZ NOT NULL,
    @id,
    @created,
    @updated,
    CONSTRAINT pk_csrf_token PRIMARY KEY (id),
    CONSTRAINT uq_csrf_token__client UNIQUE (client)
);
CREATE INDEX ix_csrf_token__updated ON csrf_token (updated);

-- revision aeea5ee6f070: Automations models
CREATE TABLE automation (
    name VARCHAR NOT NULL,
    description VARCHAR NOT NULL,
    enabled BOOLEAN DEFAULT '1' NOT NULL,
    trigger JSONB NOT NULL,
    actions JSONB NOT NULL,
    actions_on_trigger JSONB DEFAULT '[]' NOT NULL,
    actions_on_resolve JSONB DEFAULT '[]' NOT NULL,
    @id,
    @created,
    @updated,
    CONSTRAINT pk_automation PRIMARY KEY (id)
);
CREATE INDEX ix_automation__updated ON automation (updated);
CREATE TABLE automation_bucket (
    automation_id UUID NOT NULL,
    trigger_id UUID,
    bucketing_key JSONB NOT NULL,
    last_event JSONB,
    start TIMESTAMPTZ NOT NULL,
    "end" TIMESTAMPTZ NOT NULL,
    count INTEGER NOT NULL,
    last_operation VARCHAR,
    triggered_at TIMESTAMPTZ NOT NULL,
    @id,
    @created,
    @updated,
    CONSTRAINT pk_automation_bucket PRIMARY KEY (id),
    CONSTRAINT fk_automation_bucket__automation_id__automation FOREIGN KEY (automation_id) REFERENCES automation (id) ON DELETE CASCADE
);
CREATE INDEX ix_automation_bucket__automation_id__end ON automation_bucket (automation_id, "end");
CREATE INDEX ix_automation_bucket__updated ON automation_bucket (updated);
CREATE UNIQUE INDEX uq_automation_bucket__automation_id__bucketing_key ON automation_bucket (automation_id, bucketing_key);
CREATE TABLE automation_related_resource (
    automation_id UUID NOT NULL,
    resource_id VARCHAR,
    automation_owned_by_resource BOOLEAN DEFAULT '0' NOT NULL,
    @id,
    @created,
    @updated,
    CONSTRAINT pk_automation_related_resource PRIMARY KEY (id),
    CONSTRAINT fk_automation_related_resource__automation_id__automation FOREIGN KEY (automation_id) REFERENCES automation (id) ON DELETE CASCADE
);
CREATE INDEX ix_automation_related_resource__resource_id ON automation_related_resource (resource_id);
CREATE INDEX ix_automation_related_resource__updated ON automation_related_resource (updated);
CREATE UNIQUE INDEX uq_automation_related_resource__automation_id__resource_id ON automation_related_resource (automation_id, resource_id);
CREATE TABLE composite_trigger_child_firing (
    automation_id UUID NOT NULL,
    parent_trigger_id UUID NOT NULL,
    child_trigger_id UUID NOT NULL,
    child_firing_id UUID NOT NULL,
    child_fired_at TIMESTAMPTZ,
    child_firing JSONB NOT NULL,
    @id,
    @created,
    @updated,
    CONSTRAINT pk_composite_trigger_child_firing PRIMARY KEY (id),
    CONSTRAINT fk_composite_trigger_child_firing__automation_id__automation FOREIGN KEY (automation_id) REFERENCES automation (id) ON DELETE CASCADE
);
CREATE INDEX ix_composite_trigger_child_firing__updated ON composite_trigger_child_firing (updated);
CREATE UNIQUE INDEX uq_composite_trigger_child_firing__a_id__pt_id__ct__id ON composite_trigger_child_firing (automation_id, parent_trigger_id, child_trigger_id);

-- revision bd6efa529f03: add_deployment_version_to_flow_run
ALTER TABLE flow_run ADD COLUMN deployment_version VARCHAR;
CREATE INDEX ix_flow_run__deployment_version ON flow_run (deployment_version);

-- revision 916718e8330f: Automation event follower
CREATE TABLE automation_event_follower (
    leader_event_id UUID NOT NULL,
    follower_event_id UUID NOT NULL,
    received TIMESTAMPTZ NOT NULL,
    follower JSONB NOT NULL,
    @id,
    @created,
    @updated,
    CONSTRAINT pk_automation_event_follower PRIMARY KEY (id),
    CONSTRAINT uq_automation_event_follower__follower_event_id UNIQUE (follower_event_id)
);
CREATE INDEX ix_automation_event_follower__leader_event_id ON automation_event_follower (leader_event_id);
CREATE INDEX ix_automation_event_follower__received ON automation_event_follower (received);
CREATE INDEX ix_automation_event_follower__updated ON automation_event_follower (updated);

-- revision 954db7517015: Add `trigger_id` to the unique index for `automation_bucket`
ALTER TABLE automation_bucket ALTER COLUMN trigger_id SET NOT NULL;
ALTER TABLE automation_bucket ALTER COLUMN triggered_at DROP NOT NULL;
DROP INDEX uq_automation_bucket__automation_id__bucketing_key;
CREATE UNIQUE INDEX uq_automation_bucket__automation_id__trigger_id__bucketing_key ON automation_bucket (automation_id, trigger_id, bucketing_key);

-- revision 15768c2ec702: Add events and event_resources tables
CREATE TABLE event_resources (
    occurred TIMESTAMPTZ NOT NULL,
    resource_id TEXT NOT NULL,
    resource_role TEXT NOT NULL,
    resource JSON NOT NULL,
    event_id UUID NOT NULL,
    @id,
    @created,
    @updated,
    CONSTRAINT pk_event_resources PRIMARY KEY (id)
);
CREATE INDEX ix_event_resources__resource_id__occurred ON event_resources (resource_id, occurred);
CREATE INDEX ix_event_resources__updated ON event_resources (updated);
CREATE TABLE events (
    occurred TIMESTAMPTZ NOT NULL,
    event TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    resource JSONB NOT NULL,
    related_resource_ids JSONB DEFAULT '[]' NOT NULL,
    related JSONB DEFAULT '[]' NOT NULL,
    payload JSONB NOT NULL,
    received TIMESTAMPTZ NOT NULL,
    recorded TIMESTAMPTZ NOT NULL,
    follows UUID,
    @id,
    @created,
    @updated,
    CONSTRAINT pk_events PRIMARY KEY (id)
);
CREATE INDEX ix_events__event__id ON events (event, id);
CREATE INDEX ix_events__event_occurred_id ON events (event, occurred, id);
CREATE INDEX ix_events__event_related_occurred ON events (event, related, occurred);
CREATE INDEX ix_events__event_resource_id_occurred ON events (event, resource_id, occurred);
CREATE INDEX ix_events__occurred ON events (occurred);
CREATE INDEX ix_events__occurred_id ON events (occurred, id);
CREATE INDEX ix_events__related_resource_ids ON events (related_resource_ids);
CREATE INDEX ix_events__updated ON events (updated);

-- revision 7ae9e431e67a: Work status fields
CREATE TYPE deployment_status AS ENUM ('READY', 'NOT_READY');
ALTER TABLE deployment ADD COLUMN status deployment_status DEFAULT 'NOT_READY' NOT NULL;
CREATE TYPE work_pool_status AS ENUM ('READY', 'NOT_READY', 'PAUSED');
ALTER TABLE work_pool ADD COLUMN status work_pool_status DEFAULT 'NOT_READY' NOT NULL;
CREATE TYPE work_queue_status AS ENUM ('READY', 'NOT_READY', 'PAUSED');
ALTER TABLE work_queue ADD COLUMN status work_queue_status DEFAULT 'NOT_READY' NOT NULL;

-- revision 8905262ec07f: Worker status field
ALTER TABLE work_pool ADD COLUMN last_transitioned_status_at TIMESTAMPTZ;
ALTER TABLE work_pool ADD COLUMN last_status_event_id UUID;
CREATE TYPE worker_status AS ENUM ('ONLINE', 'OFFLINE');
ALTER TABLE worker ADD COLUMN status worker_status DEFAULT 'OFFLINE' NOT NULL;

-- revision b23c83a12cb4: add catchup fields to DeploymentSchedule
ALTER TABLE deployment_schedule ADD COLUMN max_active_runs INTEGER;
ALTER TABLE deployment_schedule ADD COLUMN max_scheduled_runs INTEGER;
ALTER TABLE deployment_schedule ADD COLUMN catchup BOOLEAN DEFAULT '0' NOT NULL;

-- revision 94622c1663e8: json_variables
ALTER TABLE variable ADD COLUMN json_value JSONB;
UPDATE variable SET json_value = to_jsonb(value);
ALTER TABLE variable DROP COLUMN value;
ALTER TABLE variable RENAME json_value TO value;

-- revision 7495a5013e7e: Adding scope to followers
ALTER TABLE automation_event_follower ADD COLUMN scope VARCHAR NOT NULL;
ALTER TABLE automation_event_follower DROP CONSTRAINT uq_automation_event_follower__follower_event_id;
CREATE INDEX ix_automation_event_follower__scope ON automation_event_follower (scope);
CREATE UNIQUE INDEX uq_follower_for_scope ON automation_event_follower (scope, follower_event_id);

-- revision 97429116795e: add_deployment_concurrency_limit
ALTER TABLE deployment ADD COLUMN concurrency_limit INTEGER;

-- revision 555ed31b284d: add concurrency options
ALTER TABLE deployment ADD COLUMN concurrency_options JSONB;

-- revision eaec5004771f: Add deployment to global concurrency limit FK
ALTER TABLE deployment ADD COLUMN concurrency_limit_id UUID;
ALTER TABLE deployment ADD CONSTRAINT fk_deployment__concurrency_limit_id__concurrency_limit_v2 FOREIGN KEY (concurrency_limit_id) REFERENCES concurrency_limit_v2 (id) ON DELETE SET NULL;
UPDATE deployment SET concurrency_limit_id = (SELECT l.id FROM concurrency_limit_v2 l
        WHERE l.name = 'deployment:' || deployment.id::text)
    WHERE EXISTS (SELECT 1 FROM concurrency_limit_v2 l WHERE l.name = 'deployment:' || deployment.id::text);

-- revision 68a44144428d: Add `labels` column to Flow, FlowRun, TaskRun, and Deployment
ALTER TABLE deployment ADD COLUMN labels JSONB;
ALTER TABLE flow ADD COLUMN labels JSONB;
ALTER TABLE flow_run ADD COLUMN labels JSONB;
ALTER TABLE task_run ADD COLUMN labels JSONB;

-- revision 5d03c01be85e: Sync ORM models and migrations
UPDATE artifact_collection SET latest_id = gen_random_uuid() WHERE latest_id IS NULL;
ALTER TABLE artifact_collection ALTER COLUMN latest_id SET NOT NULL;
CREATE INDEX ix_artifact_collection__updated ON artifact_collection (updated);
ALTER TABLE deployment DROP COLUMN schedule;
ALTER TABLE deployment DROP COLUMN is_schedule_active;
ALTER TABLE deployment DROP COLUMN flow_data;
DROP INDEX ix_flow_run__deployment_id;
ALTER TABLE deployment DROP COLUMN manifest_path;
ALTER TABLE deployment_schedule DROP COLUMN catchup;
ALTER TABLE deployment_schedule DROP COLUMN max_active_runs;

-- revision c163acd7e8e3: Add parameters column to deployment schedules
ALTER TABLE deployment_schedule ADD COLUMN parameters JSONB DEFAULT '{}' NOT NULL;

-- revision a03d00b8e275: Add slug column to deployment_schedule
ALTER TABLE deployment_schedule ADD COLUMN slug VARCHAR;
CREATE INDEX ix_deployment_schedule__slug ON deployment_schedule(slug);
CREATE UNIQUE INDEX ix_deployment_schedule__deployment_id__slug ON deployment_schedule(deployment_id, slug) WHERE slug IS NOT NULL;

-- revision b5f5644500d2: add storage configuration to work pool
ALTER TABLE work_pool ADD COLUMN storage_configuration JSONB DEFAULT '{}' NOT NULL;

-- revision 06b7c293bc69: Create new deployment version table
CREATE TABLE deployment_version (
    deployment_id UUID NOT NULL,
    branch VARCHAR,
    version_info JSONB DEFAULT '{}' NOT NULL,
    description TEXT,
    tags JSONB DEFAULT '[]' NOT NULL,
    labels JSONB,
    entrypoint VARCHAR,
    pull_steps JSONB,
    parameters JSONB DEFAULT '{}' NOT NULL,
    parameter_openapi_schema JSONB,
    enforce_parameter_schema BOOLEAN DEFAULT '0' NOT NULL,
    work_queue_id UUID,
    work_queue_name VARCHAR,
    infra_overrides JSONB DEFAULT '{}' NOT NULL,
    @id,
    @created,
    @updated,
    CONSTRAINT pk_deployment_version PRIMARY KEY (id),
    CONSTRAINT fk_deployment_version__deployment_id__deployment FOREIGN KEY (deployment_id) REFERENCES deployment (id) ON DELETE CASCADE,
    CONSTRAINT fk_deployment_version__work_queue_id__work_queue FOREIGN KEY (work_queue_id) REFERENCES work_queue (id) ON DELETE SET NULL
);
CREATE INDEX ix_deployment_version__deployment_id ON deployment_version (deployment_id);
CREATE INDEX ix_deployment_version__updated ON deployment_version (updated);
CREATE INDEX ix_deployment_version__work_queue_id ON deployment_version (work_queue_id);
CREATE INDEX ix_deployment_version__work_queue_name ON deployment_version (work_queue_name);
CREATE UNIQUE INDEX uq_deployment_version__deployment__branch ON deployment_version (deployment_id, branch);
ALTER TABLE deployment ADD COLUMN version_id UUID;
CREATE INDEX ix_deployment__version_id ON deployment (version_id);

-- revision 7a73514ca2d6: Add ix_events__event_related_occurred_md5
DROP INDEX ix_events__event_related_occurred;
DROP INDEX ix_events__related_resource_ids;
CREATE INDEX ix_events__related_gin ON events USING gin (related);
CREATE INDEX ix_events__event_occurred ON events (event, occurred);
CREATE INDEX ix_events__related_resource_ids_gin ON events USING gin (related_resource_ids);

-- revision 4160a4841eed: Remove flow run notifications
-- step make_automations
DROP TABLE flow_run_notification_queue;
DROP TABLE flow_run_notification_policy;

-- revision 1c9bb7f78263: add scope+leader idx to AutomationEventFollower
CREATE INDEX ix_ae_follower_scope_leader ON automation_event_follower (scope, leader_event_id);

-- revision aa1234567890: Add tags column to automation table
ALTER TABLE automation ADD COLUMN tags JSONB DEFAULT '[]' NOT NULL;

-- revision 3b86c5ea017a: Drop task_run state_id foreign key constraint
ALTER TABLE task_run DROP CONSTRAINT fk_task_run__state_id__task_run_state;

-- revision 9e83011d1f2a: Migrate V1 concurrency limits to V2
INSERT INTO concurrency_limit_v2 (id, name, "limit", active, active_slots, denied_slots, slot_decay_per_second,
        avg_slot_occupancy_seconds, created, updated)
    SELECT l.id, 'tag:' || l.tag, l.concurrency_limit, TRUE, jsonb_array_length(COALESCE(l.active_slots, '[]')), 0, 0.0, 600.0, l.created, l.updated
    FROM concurrency_limit l WHERE NOT EXISTS (SELECT 1 FROM concurrency_limit_v2 o WHERE o.name = 'tag:' || l.tag);
DELETE FROM concurrency_limit;

-- revision a1b2c3d4e5f6: Add expression index for per-schedule scheduler query
CREATE INDEX ix_flow_run__schedule_id_scheduler ON flow_run (deployment_id, (created_by->>'id'), next_scheduled_start_time) WHERE state_type = 'SCHEDULED' AND auto_scheduled = true;

-- revision 09a9e091e578: Add composite index on task_run(state_type, start_time)
CREATE INDEX ix_task_run__state_type_start_time ON task_run (state_type, start_time);

-- revision 7218aad17905: Add CHECK constraint preventing block_document_reference self-references
DELETE FROM block_document_reference WHERE parent_block_document_id = reference_block_document_id;
ALTER TABLE block_document_reference ADD CONSTRAINT ck_block_document_reference__ck_block_document_referenc_824f CHECK (parent_block_document_id != reference_block_document_id);

-- revision bad1e352c597: Add index on event_resources(occurred) for vacuum performance
CREATE INDEX ix_event_resources__occurred ON event_resources (occurred);

-- revision 50737cdaee36: Add index on event_resources(event_id) for vacuum performance
CREATE INDEX ix_event_resources__event_id ON event_resources (event_id);
