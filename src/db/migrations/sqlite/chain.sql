-- The reference's migrations on SQLite, from the first to 3.8.3's last, in the order in which each builds on the one before.
-- tools/chain.py makes a table of them (db/chain.h). Its own lines:
--   -- revision ID: TITLE     begins a revision; what follows takes a database from the one before to it
--   -- edit                  the table is there and gets this text; names, types and UNIQUE stay, so no row is touched
--   -- rebuild               the table is there and is made anew like this; columns of the same name keep their values
--   -- delete                the statement deletes what refers to the rows, too: references are not enforced meanwhile
--   -- step NAME             what SQL cannot say: a function of upgrade/steps.c
--   @id @created @updated    these columns as every table has them; @standard is all three
-- Objects are what the reference makes, down to odd names and lost directions of indexes (tests/upgrade compares each revision).
-- What moves data does in one statement what the reference does in batches.

-- revision 9725c1cbee35: initial migration
CREATE TABLE flow (
    @standard,
    name VARCHAR NOT NULL,
    tags JSON DEFAULT '[]' NOT NULL,
    CONSTRAINT pk_flow PRIMARY KEY (id),
    CONSTRAINT uq_flow__name UNIQUE (name)
);
CREATE TABLE log (
    @standard,
    name VARCHAR NOT NULL,
    level SMALLINT NOT NULL,
    flow_run_id CHAR(36) NOT NULL,
    task_run_id CHAR(36),
    message TEXT NOT NULL,
    timestamp DATETIME NOT NULL,
    CONSTRAINT pk_log PRIMARY KEY (id)
);
CREATE TABLE concurrency_limit (
    @standard,
    tag VARCHAR NOT NULL,
    concurrency_limit INTEGER NOT NULL,
    active_slots JSON DEFAULT '[]' NOT NULL,
    CONSTRAINT pk_concurrency_limit PRIMARY KEY (id)
);
CREATE TABLE saved_search (
    @standard,
    name VARCHAR NOT NULL,
    filters JSON DEFAULT '[]' NOT NULL,
    CONSTRAINT pk_saved_search PRIMARY KEY (id),
    CONSTRAINT uq_saved_search__name UNIQUE (name)
);
CREATE TABLE task_run_state_cache (
    @standard,
    cache_key VARCHAR NOT NULL,
    cache_expiration DATETIME,
    task_run_state_id CHAR(36) NOT NULL,
    CONSTRAINT pk_task_run_state_cache PRIMARY KEY (id)
);
CREATE TABLE deployment (
    @standard,
    name VARCHAR NOT NULL,
    schedule JSON,
    is_schedule_active BOOLEAN DEFAULT '1' NOT NULL,
    tags JSON DEFAULT '[]' NOT NULL,
    parameters JSON DEFAULT '{}' NOT NULL,
    flow_data JSON,
    flow_runner_type VARCHAR,
    flow_runner_config JSON,
    flow_id CHAR(36) NOT NULL,
    CONSTRAINT pk_deployment PRIMARY KEY (id),
    CONSTRAINT fk_deployment__flow_id__flow FOREIGN KEY (flow_id) REFERENCES flow (id) ON DELETE CASCADE
);
CREATE TABLE flow_run (
    @standard,
    name VARCHAR NOT NULL,
    state_type VARCHAR(9),
    run_count INTEGER DEFAULT '0' NOT NULL,
    expected_start_time DATETIME,
    next_scheduled_start_time DATETIME,
    start_time DATETIME,
    end_time DATETIME,
    total_run_time DATETIME DEFAULT '0' NOT NULL,
    flow_version VARCHAR,
    parameters JSON DEFAULT '{}' NOT NULL,
    idempotency_key VARCHAR,
    context JSON DEFAULT '{}' NOT NULL,
    empirical_policy JSON DEFAULT '{}' NOT NULL,
    tags JSON DEFAULT '[]' NOT NULL,
    flow_runner_type VARCHAR,
    flow_runner_config JSON,
    empirical_config JSON DEFAULT '{}' NOT NULL,
    auto_scheduled BOOLEAN DEFAULT '0' NOT NULL,
    flow_id CHAR(36) NOT NULL,
    deployment_id CHAR(36),
    parent_task_run_id CHAR(36),
    state_id CHAR(36),
    CONSTRAINT pk_flow_run PRIMARY KEY (id),
    CONSTRAINT fk_flow_run__deployment_id__deployment FOREIGN KEY (deployment_id) REFERENCES deployment (id) ON DELETE set null,
    CONSTRAINT fk_flow_run__flow_id__flow FOREIGN KEY (flow_id) REFERENCES flow (id) ON DELETE cascade,
    CONSTRAINT fk_flow_run__parent_task_run_id__task_run FOREIGN KEY (parent_task_run_id) REFERENCES task_run (id) ON DELETE SET NULL,
    CONSTRAINT fk_flow_run__state_id__flow_run_state FOREIGN KEY (state_id) REFERENCES flow_run_state (id) ON DELETE SET NULL
);
CREATE TABLE flow_run_state (
    @standard,
    type VARCHAR(9) NOT NULL,
    timestamp DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')) NOT NULL,
    name VARCHAR NOT NULL,
    message VARCHAR,
    state_details JSON DEFAULT '{}' NOT NULL,
    data JSON,
    flow_run_id CHAR(36) NOT NULL,
    CONSTRAINT pk_flow_run_state PRIMARY KEY (id),
    CONSTRAINT fk_flow_run_state__flow_run_id__flow_run FOREIGN KEY (flow_run_id) REFERENCES flow_run (id) ON DELETE cascade
);
CREATE TABLE task_run (
    @standard,
    name VARCHAR NOT NULL,
    state_type VARCHAR(9),
    run_count INTEGER DEFAULT '0' NOT NULL,
    expected_start_time DATETIME,
    next_scheduled_start_time DATETIME,
    start_time DATETIME,
    end_time DATETIME,
    total_run_time DATETIME DEFAULT '0' NOT NULL,
    task_key VARCHAR NOT NULL,
    dynamic_key VARCHAR NOT NULL,
    cache_key VARCHAR,
    cache_expiration DATETIME,
    task_version VARCHAR,
    empirical_policy JSON DEFAULT '{}' NOT NULL,
    task_inputs JSON DEFAULT '{}' NOT NULL,
    tags JSON DEFAULT '[]' NOT NULL,
    flow_run_id CHAR(36) NOT NULL,
    state_id CHAR(36),
    CONSTRAINT pk_task_run PRIMARY KEY (id),
    CONSTRAINT fk_task_run__flow_run_id__flow_run FOREIGN KEY (flow_run_id) REFERENCES flow_run (id) ON DELETE cascade,
    CONSTRAINT fk_task_run__state_id__task_run_state FOREIGN KEY (state_id) REFERENCES task_run_state (id) ON DELETE SET NULL
);
CREATE TABLE task_run_state (
    @standard,
    type VARCHAR(9) NOT NULL,
    timestamp DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')) NOT NULL,
    name VARCHAR NOT NULL,
    message VARCHAR,
    state_details JSON DEFAULT '{}' NOT NULL,
    data JSON,
    task_run_id CHAR(36) NOT NULL,
    CONSTRAINT pk_task_run_state PRIMARY KEY (id),
    CONSTRAINT fk_task_run_state__task_run_id__task_run FOREIGN KEY (task_run_id) REFERENCES task_run (id) ON DELETE cascade
);
CREATE INDEX ix_flow__updated ON flow (updated);
CREATE INDEX ix_log__flow_run_id ON log (flow_run_id);
CREATE INDEX ix_log__level ON log (level);
CREATE INDEX ix_log__task_run_id ON log (task_run_id);
CREATE INDEX ix_log__timestamp ON log (timestamp);
CREATE INDEX ix_log__updated ON log (updated);
CREATE UNIQUE INDEX ix_concurrency_limit__tag ON concurrency_limit (tag);
CREATE INDEX ix_concurrency_limit__updated ON concurrency_limit (updated);
CREATE INDEX ix_saved_search__updated ON saved_search (updated);
CREATE INDEX ix_task_run_state_cache__cache_key_created_desc ON task_run_state_cache (cache_key, created DESC);
CREATE INDEX ix_task_run_state_cache__updated ON task_run_state_cache (updated);
CREATE INDEX ix_deployment__flow_id ON deployment (flow_id);
CREATE INDEX ix_deployment__updated ON deployment (updated);
CREATE UNIQUE INDEX uq_deployment__flow_id_name ON deployment (flow_id, name);
CREATE INDEX ix_flow_run__deployment_id ON flow_run (deployment_id);
CREATE INDEX ix_flow_run__end_time_desc ON flow_run (end_time DESC);
CREATE INDEX ix_flow_run__expected_start_time_desc ON flow_run (expected_start_time DESC);
CREATE INDEX ix_flow_run__flow_id ON flow_run (flow_id);
CREATE INDEX ix_flow_run__flow_version ON flow_run (flow_version);
CREATE INDEX ix_flow_run__name ON flow_run (name);
CREATE INDEX ix_flow_run__next_scheduled_start_time_asc ON flow_run (next_scheduled_start_time ASC);
CREATE INDEX ix_flow_run__parent_task_run_id ON flow_run (parent_task_run_id);
CREATE INDEX ix_flow_run__start_time ON flow_run (start_time);
CREATE INDEX ix_flow_run__state_id ON flow_run (state_id);
CREATE INDEX ix_flow_run__state_type ON flow_run (state_type);
CREATE INDEX ix_flow_run__updated ON flow_run (updated);
CREATE UNIQUE INDEX uq_flow_run__flow_id_idempotency_key ON flow_run (flow_id, idempotency_key);
CREATE INDEX ix_flow_run_state__name ON flow_run_state (name);
CREATE INDEX ix_flow_run_state__type ON flow_run_state (type);
CREATE INDEX ix_flow_run_state__updated ON flow_run_state (updated);
CREATE UNIQUE INDEX uq_flow_run_state__flow_run_id_timestamp_desc ON flow_run_state (flow_run_id, timestamp DESC);
CREATE INDEX ix_task_run__end_time_desc ON task_run (end_time DESC);
CREATE INDEX ix_task_run__expected_start_time_desc ON task_run (expected_start_time DESC);
CREATE INDEX ix_task_run__flow_run_id ON task_run (flow_run_id);
CREATE INDEX ix_task_run__name ON task_run (name);
CREATE INDEX ix_task_run__next_scheduled_start_time_asc ON task_run (next_scheduled_start_time ASC);
CREATE INDEX ix_task_run__start_time ON task_run (start_time);
CREATE INDEX ix_task_run__state_id ON task_run (state_id);
CREATE INDEX ix_task_run__state_type ON task_run (state_type);
CREATE INDEX ix_task_run__updated ON task_run (updated);
CREATE UNIQUE INDEX uq_task_run__flow_run_id_task_key_dynamic_key ON task_run (flow_run_id, task_key, dynamic_key);
CREATE INDEX ix_task_run_state__name ON task_run_state (name);
CREATE INDEX ix_task_run_state__type ON task_run_state (type);
CREATE INDEX ix_task_run_state__updated ON task_run_state (updated);
CREATE UNIQUE INDEX uq_task_run_state__task_run_id_timestamp_desc ON task_run_state (task_run_id, timestamp DESC);

-- revision 619bea85701a: Add the block data table
CREATE TABLE block_data (
    @standard,
    name VARCHAR NOT NULL,
    blockref VARCHAR NOT NULL,
    data JSON DEFAULT '{}' NOT NULL,
    CONSTRAINT pk_block_data PRIMARY KEY (id)
);
CREATE UNIQUE INDEX ix_block_data__name ON block_data (name);
CREATE INDEX ix_block_data__updated ON block_data (updated);

-- revision 7c91cb86dc4e: Add agents and work queues
CREATE TABLE work_queue (
    @standard,
    name VARCHAR NOT NULL,
    filter JSON DEFAULT '{}' NOT NULL,
    description VARCHAR DEFAULT '' NOT NULL,
    is_paused BOOLEAN DEFAULT '0' NOT NULL,
    concurrency_limit INTEGER,
    CONSTRAINT pk_work_queue PRIMARY KEY (id),
    CONSTRAINT uq_work_queue__name UNIQUE (name)
);
CREATE TABLE agent (
    @standard,
    name VARCHAR NOT NULL,
    last_activity_time DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')) NOT NULL,
    work_queue_id CHAR(36) NOT NULL,
    CONSTRAINT pk_agent PRIMARY KEY (id),
    CONSTRAINT uq_agent__name UNIQUE (name),
    CONSTRAINT fk_agent__work_queue_id__work_queue FOREIGN KEY (work_queue_id) REFERENCES work_queue (id)
);
CREATE INDEX ix_work_queue__updated ON work_queue (updated);
CREATE INDEX ix_agent__updated ON agent (updated);
CREATE INDEX ix_agent__work_queue_id ON agent (work_queue_id);

-- revision 28ae48128c75: Add the configurations table
CREATE TABLE configuration (
    @standard,
    key VARCHAR NOT NULL,
    value JSON NOT NULL,
    CONSTRAINT pk_configuration PRIMARY KEY (id),
    CONSTRAINT uq_configuration__key UNIQUE (key)
);
CREATE INDEX ix_configuration__key ON configuration (key);
CREATE INDEX ix_configuration__updated ON configuration (updated);

-- revision 4c4a6a138053: Rename block data table
ALTER TABLE block_data RENAME TO block;

-- revision e1ff4973a9eb: Add block_spec table
DROP INDEX ix_block_data__name;
DROP INDEX ix_block_data__updated;
CREATE TABLE block_spec (
    @standard,
    name VARCHAR NOT NULL,
    version VARCHAR NOT NULL,
    type VARCHAR,
    fields JSON DEFAULT '{}' NOT NULL,
    CONSTRAINT pk_block_spec PRIMARY KEY (id)
);
-- rebuild
CREATE TABLE block (
    @standard,
    name VARCHAR NOT NULL,
    blockref VARCHAR NOT NULL,
    data JSON DEFAULT '{}' NOT NULL,
    CONSTRAINT pk_block_data PRIMARY KEY (id),
    CONSTRAINT uq_block__name UNIQUE (name)
);
CREATE INDEX ix_block_spec__updated ON block_spec (updated);
CREATE UNIQUE INDEX uq_block_spec__name_version ON block_spec (name, version);
CREATE INDEX ix_block_spec__type ON block_spec (type);
CREATE INDEX ix_block__name ON block (name);
CREATE INDEX ix_block__updated ON block (updated);

-- revision f327e877e423: Index FlowRun.flow_runner_type
CREATE INDEX ix_flow_run__flow_runner_type ON flow_run (flow_runner_type);

-- revision c8ff35f94028: Add block_spec_id to blocks
-- rebuild
CREATE TABLE block (
    @standard,
    name VARCHAR NOT NULL,
    data JSON DEFAULT '{}' NOT NULL,
    block_spec_id CHAR(36) NOT NULL,
    is_default_storage_block BOOLEAN DEFAULT '0',
    CONSTRAINT pk_block_data PRIMARY KEY (id),
    CONSTRAINT fk_block__block_spec_id__block_spec FOREIGN KEY (block_spec_id) REFERENCES block_spec (id) ON DELETE cascade
);
CREATE UNIQUE INDEX uq_block__spec_id_name ON block (block_spec_id, name);
CREATE INDEX ix_block__is_default_storage_block ON block (is_default_storage_block);

-- revision 71a57ec351d1: Index Flow.created
CREATE INDEX ix_flow__created ON flow (created);

-- revision 7f5f335cace3: Add flow_run.state_name
ALTER TABLE flow_run ADD COLUMN state_name VARCHAR;
ALTER TABLE task_run ADD COLUMN state_name VARCHAR;
CREATE INDEX ix_flow_run__state_name ON flow_run (state_name);
CREATE INDEX ix_task_run__state_name ON task_run (state_name);

-- revision db6bde582447: Backfill state_name
UPDATE flow_run SET state_name = (SELECT s.name FROM flow_run_state s WHERE s.id = flow_run.state_id)
    WHERE state_name IS NULL AND state_id IS NOT NULL;
UPDATE task_run SET state_name = (SELECT s.name FROM task_run_state s WHERE s.id = task_run.state_id)
    WHERE state_name IS NULL AND state_id IS NOT NULL;

-- revision fd966d4ad99c: Rename Block to BlockDocument and BlockSpec to BlockSchema
DROP INDEX ix_block_spec__updated;
DROP INDEX uq_block_spec__name_version;
DROP INDEX ix_block_spec__type;
DROP INDEX ix_block__name;
DROP INDEX ix_block__updated;
DROP INDEX uq_block__spec_id_name;
DROP INDEX ix_block__is_default_storage_block;
-- edit
CREATE TABLE block (
    @standard,
    name VARCHAR NOT NULL,
    data JSON DEFAULT '{}' NOT NULL,
    block_spec_id CHAR(36) NOT NULL,
    is_default_storage_block BOOLEAN DEFAULT '0',
    CONSTRAINT pk_block_data PRIMARY KEY (id)
);
ALTER TABLE block_spec RENAME TO block_schema;
ALTER TABLE block RENAME TO block_document;
ALTER TABLE block_document RENAME COLUMN block_spec_id TO block_schema_id;
ALTER TABLE block_document RENAME COLUMN is_default_storage_block TO is_default_storage_block_document;
-- rebuild
CREATE TABLE block_schema (
    @standard,
    name VARCHAR NOT NULL,
    version VARCHAR NOT NULL,
    type VARCHAR,
    fields JSON DEFAULT '{}' NOT NULL,
    CONSTRAINT pk_block_schema PRIMARY KEY (id)
);
-- rebuild
CREATE TABLE block_document (
    @standard,
    name VARCHAR NOT NULL,
    data JSON DEFAULT '{}' NOT NULL,
    block_schema_id CHAR(36) NOT NULL,
    is_default_storage_block_document BOOLEAN DEFAULT '0',
    CONSTRAINT pk_block_document PRIMARY KEY (id),
    CONSTRAINT fk_block__block_schema_id__block_schema FOREIGN KEY (block_schema_id) REFERENCES block_schema (id) ON DELETE cascade
);
CREATE INDEX ix_block_schema__type ON block_schema (type);
CREATE INDEX ix_block_schema__updated ON block_schema (updated);
CREATE UNIQUE INDEX uq_block_schema__name_version ON block_schema (name, version);
CREATE INDEX ix_block_document__updated ON block_document (updated);
CREATE INDEX ix_block_document__name ON block_document (name);
CREATE INDEX ix_block_document__is_default_storage_block_document ON block_document (is_default_storage_block_document);
CREATE UNIQUE INDEX uq_block__schema_id_name ON block_document (block_schema_id, name);

-- revision b75d279ba985: Add eplace version with checksum
DROP INDEX uq_block_schema__name_version;
DROP INDEX uq_block__schema_id_name;
CREATE TABLE block_type (
    @standard,
    name VARCHAR NOT NULL,
    logo_url VARCHAR,
    documentation_url VARCHAR,
    CONSTRAINT pk_block_type PRIMARY KEY (id)
);
ALTER TABLE block_document ADD COLUMN block_type_id CHAR(36);
-- edit
CREATE TABLE block_document (
    @standard,
    name VARCHAR NOT NULL,
    data JSON DEFAULT '{}' NOT NULL,
    block_schema_id CHAR(36) NOT NULL,
    is_default_storage_block_document BOOLEAN DEFAULT '0',
    block_type_id CHAR(36),
    CONSTRAINT pk_block_document PRIMARY KEY (id),
    CONSTRAINT fk_block_document__block_type_id__block_type FOREIGN KEY (block_type_id) REFERENCES block_type (id) ON DELETE cascade
);
-- rebuild
CREATE TABLE block_schema (
    @standard,
    name VARCHAR NOT NULL,
    type VARCHAR,
    fields JSON DEFAULT '{}' NOT NULL,
    block_type_id CHAR(36),
    checksum VARCHAR,
    CONSTRAINT pk_block_schema PRIMARY KEY (id),
    CONSTRAINT fk_block_schema__block_type_id__block_type FOREIGN KEY (block_type_id) REFERENCES block_type (id) ON DELETE cascade
);
-- step make_block_types
-- rebuild
CREATE TABLE block_schema (
    @standard,
    type VARCHAR,
    fields JSON DEFAULT '{}' NOT NULL,
    block_type_id CHAR(36) NOT NULL,
    checksum VARCHAR NOT NULL,
    CONSTRAINT pk_block_schema PRIMARY KEY (id),
    CONSTRAINT fk_block_schema__block_type_id__block_type FOREIGN KEY (block_type_id) REFERENCES block_type (id) ON DELETE CASCADE
);
-- edit
CREATE TABLE block_document (
    @standard,
    name VARCHAR NOT NULL,
    data JSON DEFAULT '{}' NOT NULL,
    block_schema_id CHAR(36) NOT NULL,
    is_default_storage_block_document BOOLEAN DEFAULT '0',
    block_type_id CHAR(36) NOT NULL,
    CONSTRAINT pk_block_document PRIMARY KEY (id),
    CONSTRAINT fk_block__block_schema_id__block_schema FOREIGN KEY (block_schema_id) REFERENCES block_schema (id) ON DELETE cascade,
    CONSTRAINT fk_block_document__block_type_id__block_type FOREIGN KEY (block_type_id) REFERENCES block_type (id) ON DELETE CASCADE
);
CREATE INDEX ix_block_type__updated ON block_type (updated);
CREATE UNIQUE INDEX uq_block_type__name ON block_type (name);
CREATE UNIQUE INDEX uq_block_schema__checksum ON block_schema (checksum);
CREATE INDEX ix_block_schema__checksum ON block_schema (checksum);
CREATE UNIQUE INDEX uq_block__type_id_name ON block_document (block_type_id, name);

-- revision 888a0bb0df7b: Add flow run alert policies
CREATE TABLE flow_run_alert_queue (
    @standard,
    flow_run_alert_policy_id CHAR(36) NOT NULL,
    flow_run_state_id CHAR(36) NOT NULL,
    CONSTRAINT pk_flow_run_alert_queue PRIMARY KEY (id)
);
CREATE TABLE flow_run_alert_policy (
    @standard,
    name VARCHAR NOT NULL,
    is_active BOOLEAN DEFAULT '1' NOT NULL,
    state_names JSON DEFAULT '[]' NOT NULL,
    tags JSON DEFAULT '[]' NOT NULL,
    message_template VARCHAR,
    block_document_id CHAR(36) NOT NULL,
    CONSTRAINT pk_flow_run_alert PRIMARY KEY (id),
    CONSTRAINT fk_flow_run_alert_policy__block_document_id__block_document FOREIGN KEY (block_document_id) REFERENCES block_document (id) ON DELETE cascade
);
CREATE INDEX ix_flow_run_alert_queue__updated ON flow_run_alert_queue (updated);
CREATE INDEX ix_flow_run_alert_policy__name ON flow_run_alert_policy (name);
CREATE INDEX ix_flow_run_alert_policy__updated ON flow_run_alert_policy (updated);

-- revision 33439667aeea: Add BlockSchema capabilities
DROP INDEX ix_block_schema__type;
-- edit
CREATE TABLE block_document (
    @standard,
    name VARCHAR NOT NULL,
    data JSON DEFAULT '{}' NOT NULL,
    block_schema_id CHAR(36) NOT NULL,
    is_default_storage_block_document BOOLEAN DEFAULT '0',
    block_type_id CHAR(36) NOT NULL,
    CONSTRAINT pk_block_document PRIMARY KEY (id),
    CONSTRAINT fk_block_document__block_type_id__block_type FOREIGN KEY (block_type_id) REFERENCES block_type (id) ON DELETE CASCADE
);
ALTER TABLE block_schema ADD COLUMN capabilities JSON DEFAULT '[]' NOT NULL;
UPDATE block_schema SET capabilities = '["writeable", "readable", "storage"]' WHERE type = 'STORAGE';
-- rebuild
CREATE TABLE block_schema (
    @standard,
    fields JSON DEFAULT '{}' NOT NULL,
    block_type_id CHAR(36) NOT NULL,
    checksum VARCHAR NOT NULL,
    capabilities JSON DEFAULT '[]' NOT NULL,
    CONSTRAINT pk_block_schema PRIMARY KEY (id),
    CONSTRAINT fk_block_schema__block_type_id__block_type FOREIGN KEY (block_type_id) REFERENCES block_type (id) ON DELETE CASCADE
);
-- edit
CREATE TABLE block_document (
    @standard,
    name VARCHAR NOT NULL,
    data JSON DEFAULT '{}' NOT NULL,
    block_schema_id CHAR(36) NOT NULL,
    is_default_storage_block_document BOOLEAN DEFAULT '0',
    block_type_id CHAR(36) NOT NULL,
    CONSTRAINT pk_block_document PRIMARY KEY (id),
    CONSTRAINT fk_block__block_schema_id__block_schema FOREIGN KEY (block_schema_id) REFERENCES block_schema (id) ON DELETE cascade,
    CONSTRAINT fk_block_document__block_type_id__block_type FOREIGN KEY (block_type_id) REFERENCES block_type (id) ON DELETE CASCADE
);

-- revision e73c6f1fe752: Adds block schema references and block document references
CREATE TABLE block_schema_reference (
    @standard,
    name VARCHAR NOT NULL,
    parent_block_schema_id CHAR(36) NOT NULL,
    reference_block_schema_id CHAR(36) NOT NULL,
    CONSTRAINT pk_block_schema_reference PRIMARY KEY (id),
    CONSTRAINT fk_block_schema_reference__parent_block_schema_id__block_schema FOREIGN KEY (parent_block_schema_id) REFERENCES block_schema (id) ON DELETE cascade,
    CONSTRAINT fk_block_schema_reference__reference_block_schema_id__block_schema FOREIGN KEY (reference_block_schema_id) REFERENCES block_schema (id) ON DELETE cascade
);
CREATE TABLE block_document_reference (
    @standard,
    name VARCHAR NOT NULL,
    parent_block_document_id CHAR(36) NOT NULL,
    reference_block_document_id CHAR(36) NOT NULL,
    CONSTRAINT pk_block_document_reference PRIMARY KEY (id),
    CONSTRAINT fk_block_document_reference__parent_block_document_id__block_document FOREIGN KEY (parent_block_document_id) REFERENCES block_document (id) ON DELETE cascade,
    CONSTRAINT fk_block_document_reference__reference_block_document_id__block_document FOREIGN KEY (reference_block_document_id) REFERENCES block_document (id) ON DELETE cascade
);
-- step add_references_to_schemas
CREATE INDEX ix_block_schema_reference__updated ON block_schema_reference (updated);
CREATE INDEX ix_block_document_reference__updated ON block_document_reference (updated);

-- revision d76326ed0d06: Rename run alerts to run notifications
DROP INDEX ix_flow_run_alert_queue__updated;
DROP INDEX ix_flow_run_alert_policy__name;
DROP INDEX ix_flow_run_alert_policy__updated;
ALTER TABLE flow_run_alert_policy RENAME TO flow_run_notification_policy;
-- rebuild
CREATE TABLE flow_run_notification_policy (
    @standard,
    name VARCHAR NOT NULL,
    is_active BOOLEAN DEFAULT '1' NOT NULL,
    state_names JSON DEFAULT '[]' NOT NULL,
    tags JSON DEFAULT '[]' NOT NULL,
    message_template VARCHAR,
    block_document_id CHAR(36) NOT NULL,
    CONSTRAINT pk_flow_run_notification_policy PRIMARY KEY (id),
    CONSTRAINT fk_flow_run_alert_policy__block_document_id__block_document FOREIGN KEY (block_document_id) REFERENCES block_document (id) ON DELETE CASCADE
);
ALTER TABLE flow_run_alert_queue RENAME TO flow_run_notification_queue;
ALTER TABLE flow_run_notification_queue RENAME COLUMN flow_run_alert_policy_id TO flow_run_notification_policy_id;
-- rebuild
CREATE TABLE flow_run_notification_queue (
    @standard,
    flow_run_notification_policy_id CHAR(36) NOT NULL,
    flow_run_state_id CHAR(36) NOT NULL,
    CONSTRAINT pk_flow_run_notification_queue PRIMARY KEY (id)
);
CREATE INDEX ix_flow_run_notification_policy__name ON flow_run_notification_policy (name);
CREATE INDEX ix_flow_run_notification_policy__updated ON flow_run_notification_policy (updated);
CREATE INDEX ix_flow_run_notification_queue__updated ON flow_run_notification_queue (updated);

-- revision f65b6ad0b869: Add indexes for partial name matches
CREATE INDEX ix_flow_name_case_insensitive on flow (name COLLATE NOCASE);
CREATE INDEX ix_flow_run_name_case_insensitive on flow_run (name COLLATE NOCASE);
CREATE INDEX ix_task_run_name_case_insensitive on task_run (name COLLATE NOCASE);
CREATE INDEX ix_deployment_name_case_insensitive on deployment (name COLLATE NOCASE);

-- revision 84892301571a: Adds description and code example to block type
ALTER TABLE block_type ADD COLUMN description VARCHAR;
ALTER TABLE block_type ADD COLUMN code_example VARCHAR;

-- revision 2d900af9cd07: Add anonymous column for block documents
ALTER TABLE block_document ADD COLUMN is_anonymous BOOLEAN DEFAULT '0' NOT NULL;
CREATE INDEX ix_block_document__is_anonymous ON block_document (is_anonymous);

-- revision 9e2a1c08c6f1: Add block schema indexes
DROP INDEX ix_block_schema__checksum;
CREATE INDEX ix_block_schema__block_type_id ON block_schema (block_type_id);
CREATE INDEX ix_block_schema__created ON block_schema (created);

-- revision a205b458d997: Adds indexes for block filtering
CREATE INDEX ix_block_type_name_case_insensitive on block_type (name COLLATE NOCASE);

-- revision dff8da7a6c2c: Add protected column for block types
ALTER TABLE block_type ADD COLUMN is_protected BOOLEAN DEFAULT '0' NOT NULL;

-- revision 42762c37b7bc: Remove name column for notification policies
DROP INDEX ix_flow_run_notification_policy__name;
-- rebuild
CREATE TABLE flow_run_notification_policy (
    @standard,
    is_active BOOLEAN DEFAULT '1' NOT NULL,
    state_names JSON DEFAULT '[]' NOT NULL,
    tags JSON DEFAULT '[]' NOT NULL,
    message_template VARCHAR,
    block_document_id CHAR(36) NOT NULL,
    CONSTRAINT pk_flow_run_notification_policy PRIMARY KEY (id),
    CONSTRAINT fk_flow_run_alert_policy__block_document_id__block_document FOREIGN KEY (block_document_id) REFERENCES block_document (id) ON DELETE CASCADE
);

-- revision 3bd87ecdac38: Add descriptions to deployments
ALTER TABLE deployment ADD COLUMN description TEXT;

-- revision e2dae764a603: Migrates block schemas with new secrets fields
INSERT INTO block_schema (checksum, fields, block_type_id, capabilities)
    SELECT 'sha256:68ed6efe6ab724c5f36519803012af68a22965eccfa5944c94fa809b8b9a6e04', '{"title": "S3StorageBlock", "description": "Store data in an AWS S3 bucket.", "type": "object", "properties": {"bucket": {"title": "Bucket", "type": "string"}, "aws_access_key_id": {"title": "Aws Access Key Id", "type": "string"}, "aws_secret_access_key": {"title": "Aws Secret Access Key", "type": "string", "writeOnly": true, "format": "password"}, "aws_session_token": {"title": "Aws Session Token", "type": "string"}, "profile_name": {"title": "Profile Name", "type": "string"}, "region_name": {"title": "Region Name", "type": "string"}}, "required": ["bucket"], "block_type_name": "S3 Storage", "secret_fields": ["aws_secret_access_key"], "block_schema_references": {}}',
        t.id, '["readable", "storage", "writeable"]'
    FROM block_type t WHERE t.name = 'S3 Storage'
        AND EXISTS (SELECT 1 FROM block_schema WHERE checksum = 'sha256:3ffda32926202a34fc30d7618e4792f71088d37fbcf92c18d070104ca6da7431')
        AND NOT EXISTS (SELECT 1 FROM block_schema WHERE checksum = 'sha256:68ed6efe6ab724c5f36519803012af68a22965eccfa5944c94fa809b8b9a6e04');
UPDATE block_document SET block_schema_id = (SELECT id FROM block_schema WHERE checksum = 'sha256:68ed6efe6ab724c5f36519803012af68a22965eccfa5944c94fa809b8b9a6e04')
    WHERE block_schema_id IN (SELECT id FROM block_schema WHERE checksum = 'sha256:3ffda32926202a34fc30d7618e4792f71088d37fbcf92c18d070104ca6da7431')
        AND EXISTS (SELECT 1 FROM block_type WHERE name = 'S3 Storage');
-- delete
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
-- delete
DELETE FROM block_schema WHERE checksum = 'sha256:4488e8f7d196f7627e3ead24ca136860f0a54d54f6c98533cf3ef2f4ba9cf51b'
    AND EXISTS (SELECT 1 FROM block_type WHERE name = 'Azure Blob Storage');

-- revision 061c7e518b40: Removes DebugPrintNotification block type
-- delete
DELETE FROM block_type WHERE name = 'Debug Print Notification';

-- revision 638cbcc2a158: Add infrastructure block id to deployments
DROP INDEX ix_flow_run__end_time_desc;
DROP INDEX ix_flow_run__expected_start_time_desc;
DROP INDEX ix_flow_run__next_scheduled_start_time_asc;
DROP INDEX ix_flow_run_name_case_insensitive;
DROP INDEX ix_deployment_name_case_insensitive;
ALTER TABLE deployment ADD COLUMN infrastructure_document_id CHAR(36);
-- edit
CREATE TABLE deployment (
    @standard,
    name VARCHAR NOT NULL,
    schedule JSON,
    is_schedule_active BOOLEAN DEFAULT '1' NOT NULL,
    tags JSON DEFAULT '[]' NOT NULL,
    parameters JSON DEFAULT '{}' NOT NULL,
    flow_data JSON,
    flow_runner_type VARCHAR,
    flow_runner_config JSON,
    flow_id CHAR(36) NOT NULL,
    description TEXT,
    infrastructure_document_id CHAR(36),
    CONSTRAINT pk_deployment PRIMARY KEY (id),
    CONSTRAINT fk_deployment__flow_id__flow FOREIGN KEY (flow_id) REFERENCES flow (id) ON DELETE CASCADE,
    CONSTRAINT fk_deployment__infrastructure_document_id__block_document FOREIGN KEY (infrastructure_document_id) REFERENCES block_document (id) ON DELETE CASCADE
);
ALTER TABLE flow_run ADD COLUMN infrastructure_document_id CHAR(36);
-- edit
CREATE TABLE flow_run (
    @standard,
    name VARCHAR NOT NULL,
    state_type VARCHAR(9),
    run_count INTEGER DEFAULT '0' NOT NULL,
    expected_start_time DATETIME,
    next_scheduled_start_time DATETIME,
    start_time DATETIME,
    end_time DATETIME,
    total_run_time DATETIME DEFAULT '0' NOT NULL,
    flow_version VARCHAR,
    parameters JSON DEFAULT '{}' NOT NULL,
    idempotency_key VARCHAR,
    context JSON DEFAULT '{}' NOT NULL,
    empirical_policy JSON DEFAULT '{}' NOT NULL,
    tags JSON DEFAULT '[]' NOT NULL,
    flow_runner_type VARCHAR,
    flow_runner_config JSON,
    empirical_config JSON DEFAULT '{}' NOT NULL,
    auto_scheduled BOOLEAN DEFAULT '0' NOT NULL,
    flow_id CHAR(36) NOT NULL,
    deployment_id CHAR(36),
    parent_task_run_id CHAR(36),
    state_id CHAR(36),
    state_name VARCHAR,
    infrastructure_document_id CHAR(36),
    CONSTRAINT pk_flow_run PRIMARY KEY (id),
    CONSTRAINT fk_flow_run__deployment_id__deployment FOREIGN KEY (deployment_id) REFERENCES deployment (id) ON DELETE SET NULL,
    CONSTRAINT fk_flow_run__flow_id__flow FOREIGN KEY (flow_id) REFERENCES flow (id) ON DELETE CASCADE,
    CONSTRAINT fk_flow_run__infrastructure_document_id__block_document FOREIGN KEY (infrastructure_document_id) REFERENCES block_document (id) ON DELETE CASCADE,
    CONSTRAINT fk_flow_run__parent_task_run_id__task_run FOREIGN KEY (parent_task_run_id) REFERENCES task_run (id) ON DELETE SET NULL,
    CONSTRAINT fk_flow_run__state_id__flow_run_state FOREIGN KEY (state_id) REFERENCES flow_run_state (id) ON DELETE SET NULL
);
CREATE INDEX ix_deployment_name_case_insensitive ON deployment (name);
CREATE INDEX ix_flow_run__end_time_desc ON flow_run (end_time);
CREATE INDEX ix_flow_run__expected_start_time_desc ON flow_run (expected_start_time);
CREATE INDEX ix_flow_run__next_scheduled_start_time_asc ON flow_run (next_scheduled_start_time);
CREATE INDEX ix_flow_run_name_case_insensitive ON flow_run (name);

-- revision 56be24fdb383: Removing default storage block document
DROP INDEX ix_block_document__is_default_storage_block_document;
-- rebuild
CREATE TABLE block_document (
    @standard,
    name VARCHAR NOT NULL,
    data JSON DEFAULT '{}' NOT NULL,
    block_schema_id CHAR(36) NOT NULL,
    block_type_id CHAR(36) NOT NULL,
    is_anonymous BOOLEAN DEFAULT '0' NOT NULL,
    CONSTRAINT pk_block_document PRIMARY KEY (id),
    CONSTRAINT fk_block__block_schema_id__block_schema FOREIGN KEY (block_schema_id) REFERENCES block_schema (id) ON DELETE CASCADE,
    CONSTRAINT fk_block_document__block_type_id__block_type FOREIGN KEY (block_type_id) REFERENCES block_type (id) ON DELETE CASCADE
);

-- revision 628a873f0d1a: Renames existing block types and deletes removed block types
UPDATE block_type SET name = 'Date Time' WHERE name = 'DateTime';
UPDATE block_type SET name = 'Environment Variable' WHERE name = 'EnvironmentVariable';
UPDATE block_type SET name = 'Kubernetes Cluster Config' WHERE name = 'KubernetesClusterConfig';
UPDATE block_type SET name = 'Local File System' WHERE name = 'LocalFileSystem';
UPDATE block_type SET name = 'Remote File System' WHERE name = 'RemoteFileSystem';
-- delete
DELETE FROM block_type WHERE name IN ('Azure Blob Storage', 'File Storage', 'Google Cloud Storage', 'KV Server Storage',
    'Local Storage', 'S3 Storage', 'Temporary Local Storage');

-- revision 2fe8ef6a6514: Remove flow runners
DROP INDEX ix_flow_run__flow_runner_type;
-- rebuild
CREATE TABLE deployment (
    @standard,
    name VARCHAR NOT NULL,
    schedule JSON,
    is_schedule_active BOOLEAN DEFAULT '1' NOT NULL,
    tags JSON DEFAULT '[]' NOT NULL,
    parameters JSON DEFAULT '{}' NOT NULL,
    flow_data JSON,
    flow_id CHAR(36) NOT NULL,
    description TEXT,
    infrastructure_document_id CHAR(36),
    CONSTRAINT pk_deployment PRIMARY KEY (id),
    CONSTRAINT fk_deployment__flow_id__flow FOREIGN KEY (flow_id) REFERENCES flow (id) ON DELETE CASCADE,
    CONSTRAINT fk_deployment__infrastructure_document_id__block_document FOREIGN KEY (infrastructure_document_id) REFERENCES block_document (id) ON DELETE CASCADE
);
-- rebuild
CREATE TABLE flow_run (
    @standard,
    name VARCHAR NOT NULL,
    state_type VARCHAR(9),
    run_count INTEGER DEFAULT '0' NOT NULL,
    expected_start_time DATETIME,
    next_scheduled_start_time DATETIME,
    start_time DATETIME,
    end_time DATETIME,
    total_run_time DATETIME DEFAULT '0' NOT NULL,
    flow_version VARCHAR,
    parameters JSON DEFAULT '{}' NOT NULL,
    idempotency_key VARCHAR,
    context JSON DEFAULT '{}' NOT NULL,
    empirical_policy JSON DEFAULT '{}' NOT NULL,
    tags JSON DEFAULT '[]' NOT NULL,
    auto_scheduled BOOLEAN DEFAULT '0' NOT NULL,
    flow_id CHAR(36) NOT NULL,
    deployment_id CHAR(36),
    parent_task_run_id CHAR(36),
    state_id CHAR(36),
    state_name VARCHAR,
    infrastructure_document_id CHAR(36),
    CONSTRAINT pk_flow_run PRIMARY KEY (id),
    CONSTRAINT fk_flow_run__deployment_id__deployment FOREIGN KEY (deployment_id) REFERENCES deployment (id) ON DELETE SET NULL,
    CONSTRAINT fk_flow_run__flow_id__flow FOREIGN KEY (flow_id) REFERENCES flow (id) ON DELETE CASCADE,
    CONSTRAINT fk_flow_run__infrastructure_document_id__block_document FOREIGN KEY (infrastructure_document_id) REFERENCES block_document (id) ON DELETE CASCADE,
    CONSTRAINT fk_flow_run__parent_task_run_id__task_run FOREIGN KEY (parent_task_run_id) REFERENCES task_run (id) ON DELETE SET NULL,
    CONSTRAINT fk_flow_run__state_id__flow_run_state FOREIGN KEY (state_id) REFERENCES flow_run_state (id) ON DELETE SET NULL
);

-- revision f335f9633eec: Adds block type slug
DROP INDEX uq_block_type__name;
DROP INDEX ix_block_type_name_case_insensitive;
ALTER TABLE block_type ADD COLUMN slug VARCHAR;
-- step make_slugs
-- edit
CREATE TABLE block_type (
    @standard,
    name VARCHAR NOT NULL,
    logo_url VARCHAR,
    documentation_url VARCHAR,
    description VARCHAR,
    code_example VARCHAR,
    is_protected BOOLEAN DEFAULT '0' NOT NULL,
    slug VARCHAR NOT NULL,
    CONSTRAINT pk_block_type PRIMARY KEY (id)
);
CREATE INDEX ix_block_type_name_case_insensitive ON block_type (name);
CREATE UNIQUE INDEX uq_block_type__slug ON block_type (slug);

-- revision 88c2112b668f: Update deployments to include more information
ALTER TABLE deployment ADD COLUMN manifest_path VARCHAR;
UPDATE deployment SET manifest_path = '';
UPDATE deployment SET is_schedule_active = 0;
ALTER TABLE deployment ADD COLUMN parameter_openapi_schema JSON;
ALTER TABLE deployment ADD COLUMN storage_document_id CHAR(36);
-- edit
CREATE TABLE deployment (
    @standard,
    name VARCHAR NOT NULL,
    schedule JSON,
    is_schedule_active BOOLEAN DEFAULT '1' NOT NULL,
    tags JSON DEFAULT '[]' NOT NULL,
    parameters JSON DEFAULT '{}' NOT NULL,
    flow_data JSON,
    flow_id CHAR(36) NOT NULL,
    description TEXT,
    infrastructure_document_id CHAR(36),
    manifest_path VARCHAR,
    parameter_openapi_schema JSON,
    storage_document_id CHAR(36),
    CONSTRAINT pk_deployment PRIMARY KEY (id),
    CONSTRAINT fk_deployment__flow_id__flow FOREIGN KEY (flow_id) REFERENCES flow (id) ON DELETE CASCADE,
    CONSTRAINT fk_deployment__infrastructure_document_id__block_document FOREIGN KEY (infrastructure_document_id) REFERENCES block_document (id) ON DELETE CASCADE,
    CONSTRAINT fk_deployment__storage_document_id__block_document FOREIGN KEY (storage_document_id) REFERENCES block_document (id) ON DELETE CASCADE
);

-- revision 905134444e17: add-index-to-flow-run-infrastructure_document_id
CREATE INDEX ix_flow_run__infrastructure_document_id ON flow_run (infrastructure_document_id);

-- revision 24bb2e4a195c: Add deployment.version
ALTER TABLE deployment ADD COLUMN version VARCHAR;

-- revision 53c19b31aa09: Fix name on concurrency_limit.tag index
DROP INDEX ix_concurrency_limit__tag;
CREATE UNIQUE INDEX uq_concurrency_limit__tag ON concurrency_limit (tag);

-- revision 296e2665785f: Expand deployment schema for improved ux
ALTER TABLE deployment ADD COLUMN infra_overrides JSON DEFAULT '{}' NOT NULL;
ALTER TABLE deployment ADD COLUMN path VARCHAR;
ALTER TABLE deployment ADD COLUMN entrypoint VARCHAR;

-- revision 575634b7acd4: Add work queue name to runs
ALTER TABLE deployment ADD COLUMN work_queue_name VARCHAR;
ALTER TABLE flow_run ADD COLUMN work_queue_name VARCHAR;
-- edit
CREATE TABLE work_queue (
    @standard,
    name VARCHAR NOT NULL,
    filter JSON,
    description VARCHAR DEFAULT ('') NOT NULL,
    is_paused BOOLEAN DEFAULT '0' NOT NULL,
    concurrency_limit INTEGER,
    CONSTRAINT pk_work_queue PRIMARY KEY (id),
    CONSTRAINT uq_work_queue__name UNIQUE (name)
);
CREATE INDEX ix_deployment__work_queue_name ON deployment (work_queue_name);
CREATE INDEX ix_flow_run__work_queue_name ON flow_run (work_queue_name);

-- revision e757138e954a: Adds block schema version
DROP INDEX uq_block_schema__checksum;
ALTER TABLE block_schema ADD COLUMN version VARCHAR DEFAULT 'non-versioned' NOT NULL;
CREATE UNIQUE INDEX uq_block_schema__checksum_version ON block_schema (checksum, version);

-- revision 22b7cb02e593: Add state_timestamp
ALTER TABLE flow_run ADD COLUMN state_timestamp DATETIME;
ALTER TABLE task_run ADD COLUMN state_timestamp DATETIME;
UPDATE flow_run SET state_timestamp = (SELECT s.timestamp FROM flow_run_state s WHERE s.id = flow_run.state_id)
    WHERE state_timestamp IS NULL AND state_id IS NOT NULL;
UPDATE task_run SET state_timestamp = (SELECT s.timestamp FROM task_run_state s WHERE s.id = task_run.state_id)
    WHERE state_timestamp IS NULL AND state_id IS NOT NULL;
CREATE INDEX ix_flow_run__state_timestamp ON flow_run (state_timestamp);
CREATE INDEX ix_task_run__state_timestamp ON task_run (state_timestamp);

-- revision ad4b1b4d1e9d: Index deployment.created
CREATE INDEX ix_deployment__created ON deployment (created);

-- revision fa319f214160: add_created_by
ALTER TABLE deployment ADD COLUMN created_by JSON;
ALTER TABLE deployment ADD COLUMN updated_by JSON;
ALTER TABLE flow_run ADD COLUMN created_by JSON;

-- revision 3ced59d8806b: Add last_polled
ALTER TABLE work_queue ADD COLUMN last_polled DATETIME;

-- revision af52717cf201: Add retry and restart metadata
ALTER TABLE task_run ADD COLUMN flow_run_run_count INTEGER DEFAULT '0' NOT NULL;

-- revision a0284438370e: Add index for scheduled deployments
CREATE INDEX ix_flow_run__scheduler_deployment_id_auto_scheduled_next_scheduled_start_time ON flow_run (deployment_id, auto_scheduled, next_scheduled_start_time) WHERE state_type = 'SCHEDULED';

-- revision 4f90ad6349bd: Add indices for coalesced `start time` sorts
DROP INDEX ix_flow_run__scheduler_deployment_id_auto_scheduled_next_scheduled_start_time;
CREATE INDEX ix_flow_run__coalesce_start_time_expected_start_time_asc ON flow_run (coalesce('start_time', 'expected_start_time') ASC);
CREATE INDEX ix_flow_run__coalesce_start_time_expected_start_time_desc ON flow_run (coalesce('start_time', 'expected_start_time') DESC);

-- revision 7201de756d85: Add FlowRun.infrastructure_pid
ALTER TABLE flow_run ADD COLUMN infrastructure_pid VARCHAR;

-- revision fe77ad0dda06: Add worker tables
DROP INDEX ix_flow_run__coalesce_start_time_expected_start_time_asc;
DROP INDEX ix_flow_run__coalesce_start_time_expected_start_time_desc;
CREATE TABLE worker_pool (
    @standard,
    name VARCHAR NOT NULL,
    description VARCHAR,
    type VARCHAR,
    base_job_template JSON DEFAULT '{}' NOT NULL,
    is_paused BOOLEAN DEFAULT '0' NOT NULL,
    concurrency_limit INTEGER,
    default_queue_id CHAR(36),
    CONSTRAINT pk_worker_pool PRIMARY KEY (id),
    CONSTRAINT uq_worker_pool__name UNIQUE (name)
);
CREATE TABLE worker (
    @standard,
    name VARCHAR NOT NULL,
    last_heartbeat_time DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')) NOT NULL,
    worker_pool_id CHAR(36) NOT NULL,
    CONSTRAINT pk_worker PRIMARY KEY (id),
    CONSTRAINT uq_worker__worker_pool_id_name UNIQUE (worker_pool_id, name),
    CONSTRAINT fk_worker__worker_pool_id__worker_pool FOREIGN KEY (worker_pool_id) REFERENCES worker_pool (id) ON DELETE cascade
);
CREATE TABLE worker_pool_queue (
    @standard,
    name VARCHAR NOT NULL,
    description VARCHAR,
    is_paused BOOLEAN DEFAULT '0' NOT NULL,
    concurrency_limit INTEGER,
    priority INTEGER NOT NULL,
    worker_pool_id CHAR(36) NOT NULL,
    CONSTRAINT pk_worker_pool_queue PRIMARY KEY (id),
    CONSTRAINT uq_worker_pool_queue__worker_pool_id_name UNIQUE (worker_pool_id, name),
    CONSTRAINT fk_worker_pool_queue__worker_pool_id__worker_pool FOREIGN KEY (worker_pool_id) REFERENCES worker_pool (id) ON DELETE cascade
);
-- edit
CREATE TABLE worker_pool (
    @standard,
    name VARCHAR NOT NULL,
    description VARCHAR,
    type VARCHAR,
    base_job_template JSON DEFAULT '{}' NOT NULL,
    is_paused BOOLEAN DEFAULT '0' NOT NULL,
    concurrency_limit INTEGER,
    default_queue_id CHAR(36),
    CONSTRAINT pk_worker_pool PRIMARY KEY (id),
    CONSTRAINT uq_worker_pool__name UNIQUE (name),
    CONSTRAINT fk_worker_pool__default_queue_id__worker_pool_queue FOREIGN KEY (default_queue_id) REFERENCES worker_pool_queue (id) ON DELETE RESTRICT
);
ALTER TABLE deployment ADD COLUMN worker_pool_queue_id CHAR(36);
-- edit
CREATE TABLE deployment (
    @standard,
    name VARCHAR NOT NULL,
    schedule JSON,
    is_schedule_active BOOLEAN DEFAULT '1' NOT NULL,
    tags JSON DEFAULT '[]' NOT NULL,
    parameters JSON DEFAULT '{}' NOT NULL,
    flow_data JSON,
    flow_id CHAR(36) NOT NULL,
    description TEXT,
    infrastructure_document_id CHAR(36),
    manifest_path VARCHAR,
    parameter_openapi_schema JSON,
    storage_document_id CHAR(36),
    version VARCHAR,
    infra_overrides JSON DEFAULT '{}' NOT NULL,
    path VARCHAR,
    entrypoint VARCHAR,
    work_queue_name VARCHAR,
    created_by JSON,
    updated_by JSON,
    worker_pool_queue_id CHAR(36),
    CONSTRAINT pk_deployment PRIMARY KEY (id),
    CONSTRAINT fk_deployment__flow_id__flow FOREIGN KEY (flow_id) REFERENCES flow (id) ON DELETE CASCADE,
    CONSTRAINT fk_deployment__infrastructure_document_id__block_document FOREIGN KEY (infrastructure_document_id) REFERENCES block_document (id) ON DELETE CASCADE,
    CONSTRAINT fk_deployment__storage_document_id__block_document FOREIGN KEY (storage_document_id) REFERENCES block_document (id) ON DELETE CASCADE,
    CONSTRAINT fk_deployment__worker_pool_queue_id__worker_pool_queue FOREIGN KEY (worker_pool_queue_id) REFERENCES worker_pool_queue (id) ON DELETE SET NULL
);
ALTER TABLE flow_run ADD COLUMN worker_pool_queue_id CHAR(36);
-- edit
CREATE TABLE flow_run (
    @standard,
    name VARCHAR NOT NULL,
    state_type VARCHAR(9),
    run_count INTEGER DEFAULT '0' NOT NULL,
    expected_start_time DATETIME,
    next_scheduled_start_time DATETIME,
    start_time DATETIME,
    end_time DATETIME,
    total_run_time DATETIME DEFAULT '0' NOT NULL,
    flow_version VARCHAR,
    parameters JSON DEFAULT '{}' NOT NULL,
    idempotency_key VARCHAR,
    context JSON DEFAULT '{}' NOT NULL,
    empirical_policy JSON DEFAULT '{}' NOT NULL,
    tags JSON DEFAULT '[]' NOT NULL,
    auto_scheduled BOOLEAN DEFAULT '0' NOT NULL,
    flow_id CHAR(36) NOT NULL,
    deployment_id CHAR(36),
    parent_task_run_id CHAR(36),
    state_id CHAR(36),
    state_name VARCHAR,
    infrastructure_document_id CHAR(36),
    work_queue_name VARCHAR,
    state_timestamp DATETIME,
    created_by JSON,
    infrastructure_pid VARCHAR,
    worker_pool_queue_id CHAR(36),
    CONSTRAINT pk_flow_run PRIMARY KEY (id),
    CONSTRAINT fk_flow_run__deployment_id__deployment FOREIGN KEY (deployment_id) REFERENCES deployment (id) ON DELETE SET NULL,
    CONSTRAINT fk_flow_run__flow_id__flow FOREIGN KEY (flow_id) REFERENCES flow (id) ON DELETE CASCADE,
    CONSTRAINT fk_flow_run__infrastructure_document_id__block_document FOREIGN KEY (infrastructure_document_id) REFERENCES block_document (id) ON DELETE CASCADE,
    CONSTRAINT fk_flow_run__parent_task_run_id__task_run FOREIGN KEY (parent_task_run_id) REFERENCES task_run (id) ON DELETE SET NULL,
    CONSTRAINT fk_flow_run__state_id__flow_run_state FOREIGN KEY (state_id) REFERENCES flow_run_state (id) ON DELETE SET NULL,
    CONSTRAINT fk_flow_run__worker_pool_queue_id__worker_pool_queue FOREIGN KEY (worker_pool_queue_id) REFERENCES worker_pool_queue (id) ON DELETE SET NULL
);
CREATE INDEX ix_worker__updated ON worker (updated);
CREATE INDEX ix_worker__worker_pool_id_last_heartbeat_time ON worker (worker_pool_id, last_heartbeat_time);
CREATE INDEX ix_worker__worker_pool_id ON worker (worker_pool_id);
CREATE INDEX ix_worker_pool_queue__updated ON worker_pool_queue (updated);
CREATE INDEX ix_worker_pool_queue__worker_pool_id_priority ON worker_pool_queue (worker_pool_id, priority);
CREATE INDEX ix_worker_pool_queue__worker_pool_id ON worker_pool_queue (worker_pool_id);
CREATE INDEX ix_worker_pool__updated ON worker_pool (updated);
CREATE INDEX ix_worker_pool__type ON worker_pool (type);
CREATE INDEX ix_deployment__worker_pool_queue_id ON deployment (worker_pool_queue_id);
CREATE INDEX ix_flow_run__worker_pool_queue_id ON flow_run (worker_pool_queue_id);

-- revision bb38729c471a: Rename Worker Pools to Work Pools
DROP INDEX ix_deployment__worker_pool_queue_id;
DROP INDEX ix_flow_run__worker_pool_queue_id;
-- edit
CREATE TABLE worker_pool (
    @standard,
    name VARCHAR NOT NULL,
    description VARCHAR,
    type VARCHAR,
    base_job_template JSON DEFAULT '{}' NOT NULL,
    is_paused BOOLEAN DEFAULT '0' NOT NULL,
    concurrency_limit INTEGER,
    default_queue_id CHAR(36),
    CONSTRAINT pk_worker_pool PRIMARY KEY (id),
    CONSTRAINT uq_worker_pool__name UNIQUE (name)
);
DROP TABLE worker_pool_queue;
DROP TABLE worker;
DROP TABLE worker_pool;
CREATE TABLE work_pool (
    @standard,
    name VARCHAR NOT NULL,
    description VARCHAR,
    type VARCHAR,
    base_job_template JSON DEFAULT '{}' NOT NULL,
    is_paused BOOLEAN DEFAULT '0' NOT NULL,
    concurrency_limit INTEGER,
    default_queue_id CHAR(36),
    CONSTRAINT pk_work_pool PRIMARY KEY (id),
    CONSTRAINT uq_work_pool__name UNIQUE (name)
);
CREATE TABLE worker (
    @standard,
    name VARCHAR NOT NULL,
    last_heartbeat_time DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')) NOT NULL,
    work_pool_id CHAR(36) NOT NULL,
    CONSTRAINT pk_worker PRIMARY KEY (id),
    CONSTRAINT uq_worker__work_pool_id_name UNIQUE (work_pool_id, name),
    CONSTRAINT fk_worker__work_pool_id__work_pool FOREIGN KEY (work_pool_id) REFERENCES work_pool (id) ON DELETE cascade
);
CREATE TABLE work_pool_queue (
    @standard,
    name VARCHAR NOT NULL,
    description VARCHAR,
    is_paused BOOLEAN DEFAULT '0' NOT NULL,
    concurrency_limit INTEGER,
    priority INTEGER NOT NULL,
    work_pool_id CHAR(36) NOT NULL,
    CONSTRAINT pk_work_pool_queue PRIMARY KEY (id),
    CONSTRAINT uq_work_pool_queue__work_pool_id_name UNIQUE (work_pool_id, name),
    CONSTRAINT fk_work_pool_queue__work_pool_id__work_pool FOREIGN KEY (work_pool_id) REFERENCES work_pool (id) ON DELETE cascade
);
-- edit
CREATE TABLE work_pool (
    @standard,
    name VARCHAR NOT NULL,
    description VARCHAR,
    type VARCHAR,
    base_job_template JSON DEFAULT '{}' NOT NULL,
    is_paused BOOLEAN DEFAULT '0' NOT NULL,
    concurrency_limit INTEGER,
    default_queue_id CHAR(36),
    CONSTRAINT pk_work_pool PRIMARY KEY (id),
    CONSTRAINT uq_work_pool__name UNIQUE (name),
    CONSTRAINT fk_work_pool__default_queue_id__work_pool_queue FOREIGN KEY (default_queue_id) REFERENCES work_pool_queue (id) ON DELETE RESTRICT
);
ALTER TABLE deployment ADD COLUMN work_pool_queue_id CHAR(36);
-- rebuild
CREATE TABLE deployment (
    @standard,
    name VARCHAR NOT NULL,
    schedule JSON,
    is_schedule_active BOOLEAN DEFAULT '1' NOT NULL,
    tags JSON DEFAULT '[]' NOT NULL,
    parameters JSON DEFAULT '{}' NOT NULL,
    flow_data JSON,
    flow_id CHAR(36) NOT NULL,
    description TEXT,
    infrastructure_document_id CHAR(36),
    manifest_path VARCHAR,
    parameter_openapi_schema JSON,
    storage_document_id CHAR(36),
    version VARCHAR,
    infra_overrides JSON DEFAULT '{}' NOT NULL,
    path VARCHAR,
    entrypoint VARCHAR,
    work_queue_name VARCHAR,
    created_by JSON,
    updated_by JSON,
    work_pool_queue_id CHAR(36),
    CONSTRAINT pk_deployment PRIMARY KEY (id),
    CONSTRAINT fk_deployment__flow_id__flow FOREIGN KEY (flow_id) REFERENCES flow (id) ON DELETE CASCADE,
    CONSTRAINT fk_deployment__infrastructure_document_id__block_document FOREIGN KEY (infrastructure_document_id) REFERENCES block_document (id) ON DELETE CASCADE,
    CONSTRAINT fk_deployment__storage_document_id__block_document FOREIGN KEY (storage_document_id) REFERENCES block_document (id) ON DELETE CASCADE,
    CONSTRAINT fk_deployment__work_pool_queue_id__work_pool_queue FOREIGN KEY (work_pool_queue_id) REFERENCES work_pool_queue (id) ON DELETE SET NULL
);
ALTER TABLE flow_run ADD COLUMN work_pool_queue_id CHAR(36);
-- rebuild
CREATE TABLE flow_run (
    @standard,
    name VARCHAR NOT NULL,
    state_type VARCHAR(9),
    run_count INTEGER DEFAULT '0' NOT NULL,
    expected_start_time DATETIME,
    next_scheduled_start_time DATETIME,
    start_time DATETIME,
    end_time DATETIME,
    total_run_time DATETIME DEFAULT '0' NOT NULL,
    flow_version VARCHAR,
    parameters JSON DEFAULT '{}' NOT NULL,
    idempotency_key VARCHAR,
    context JSON DEFAULT '{}' NOT NULL,
    empirical_policy JSON DEFAULT '{}' NOT NULL,
    tags JSON DEFAULT '[]' NOT NULL,
    auto_scheduled BOOLEAN DEFAULT '0' NOT NULL,
    flow_id CHAR(36) NOT NULL,
    deployment_id CHAR(36),
    parent_task_run_id CHAR(36),
    state_id CHAR(36),
    state_name VARCHAR,
    infrastructure_document_id CHAR(36),
    work_queue_name VARCHAR,
    state_timestamp DATETIME,
    created_by JSON,
    infrastructure_pid VARCHAR,
    work_pool_queue_id CHAR(36),
    CONSTRAINT pk_flow_run PRIMARY KEY (id),
    CONSTRAINT fk_flow_run__deployment_id__deployment FOREIGN KEY (deployment_id) REFERENCES deployment (id) ON DELETE SET NULL,
    CONSTRAINT fk_flow_run__flow_id__flow FOREIGN KEY (flow_id) REFERENCES flow (id) ON DELETE CASCADE,
    CONSTRAINT fk_flow_run__infrastructure_document_id__block_document FOREIGN KEY (infrastructure_document_id) REFERENCES block_document (id) ON DELETE CASCADE,
    CONSTRAINT fk_flow_run__parent_task_run_id__task_run FOREIGN KEY (parent_task_run_id) REFERENCES task_run (id) ON DELETE SET NULL,
    CONSTRAINT fk_flow_run__state_id__flow_run_state FOREIGN KEY (state_id) REFERENCES flow_run_state (id) ON DELETE SET NULL,
    CONSTRAINT fk_flow_run__work_pool_queue_id__work_pool_queue FOREIGN KEY (work_pool_queue_id) REFERENCES work_pool_queue (id) ON DELETE SET NULL
);
CREATE INDEX ix_worker__updated ON worker (updated);
CREATE INDEX ix_worker__work_pool_id_last_heartbeat_time ON worker (work_pool_id, last_heartbeat_time);
CREATE INDEX ix_worker__work_pool_id ON worker (work_pool_id);
CREATE INDEX ix_work_pool_queue__updated ON work_pool_queue (updated);
CREATE INDEX ix_work_pool_queue__work_pool_id_priority ON work_pool_queue (work_pool_id, priority);
CREATE INDEX ix_work_pool_queue__work_pool_id ON work_pool_queue (work_pool_id);
CREATE INDEX ix_work_pool__updated ON work_pool (updated);
CREATE INDEX ix_work_pool__type ON work_pool (type);
CREATE INDEX ix_deployment__work_pool_queue_id ON deployment (work_pool_queue_id);
CREATE INDEX ix_flow_run__work_pool_queue_id ON flow_run (work_pool_queue_id);

-- revision f92143d30c24: Implements the artifact table and migrates run results
DROP INDEX uq_flow_run_state__flow_run_id_timestamp_desc;
DROP INDEX uq_task_run_state__task_run_id_timestamp_desc;
CREATE TABLE artifact (
    @standard,
    key VARCHAR,
    type VARCHAR,
    data JSON,
    metadata_ JSON,
    task_run_id CHAR(36),
    task_run_state_id CHAR(36),
    flow_run_id CHAR(36),
    flow_run_state_id CHAR(36),
    CONSTRAINT pk_artifact PRIMARY KEY (id),
    CONSTRAINT fk_artifact__flow_run_id__flow_run FOREIGN KEY (flow_run_id) REFERENCES flow_run (id),
    CONSTRAINT fk_artifact__flow_run_state_id__flow_run_state FOREIGN KEY (flow_run_state_id) REFERENCES flow_run_state (id),
    CONSTRAINT fk_artifact__task_run_id__task_run FOREIGN KEY (task_run_id) REFERENCES task_run (id),
    CONSTRAINT fk_artifact__task_run_state_id__task_run_state FOREIGN KEY (task_run_state_id) REFERENCES task_run_state (id)
);
ALTER TABLE flow_run_state ADD COLUMN result_artifact_id CHAR(36);
-- edit
CREATE TABLE flow_run_state (
    @standard,
    type VARCHAR(9) NOT NULL,
    timestamp DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')) NOT NULL,
    name VARCHAR NOT NULL,
    message VARCHAR,
    state_details JSON DEFAULT '{}' NOT NULL,
    data JSON,
    flow_run_id CHAR(36) NOT NULL,
    result_artifact_id CHAR(36),
    CONSTRAINT pk_flow_run_state PRIMARY KEY (id),
    CONSTRAINT fk_flow_run_state__flow_run_id__flow_run FOREIGN KEY (flow_run_id) REFERENCES flow_run (id) ON DELETE CASCADE,
    CONSTRAINT fk_flow_run_state__result_artifact_id__artifact FOREIGN KEY (result_artifact_id) REFERENCES artifact (id) ON DELETE SET NULL
);
ALTER TABLE task_run_state ADD COLUMN result_artifact_id CHAR(36);
-- edit
CREATE TABLE task_run_state (
    @standard,
    type VARCHAR(9) NOT NULL,
    timestamp DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')) NOT NULL,
    name VARCHAR NOT NULL,
    message VARCHAR,
    state_details JSON DEFAULT '{}' NOT NULL,
    data JSON,
    task_run_id CHAR(36) NOT NULL,
    result_artifact_id CHAR(36),
    CONSTRAINT pk_task_run_state PRIMARY KEY (id),
    CONSTRAINT fk_task_run_state__result_artifact_id__artifact FOREIGN KEY (result_artifact_id) REFERENCES artifact (id) ON DELETE SET NULL,
    CONSTRAINT fk_task_run_state__task_run_id__task_run FOREIGN KEY (task_run_id) REFERENCES task_run (id) ON DELETE CASCADE
);
CREATE INDEX ix_artifact__flow_run_id ON artifact (flow_run_id);
CREATE INDEX ix_artifact__flow_run_state_id ON artifact (flow_run_state_id);
CREATE UNIQUE INDEX ix_artifact__key ON artifact (key);
CREATE INDEX ix_artifact__task_run_id ON artifact (task_run_id);
CREATE INDEX ix_artifact__task_run_state_id ON artifact (task_run_state_id);
CREATE INDEX ix_artifact__updated ON artifact (updated);
CREATE UNIQUE INDEX uq_flow_run_state__flow_run_id_timestamp_desc ON flow_run_state (flow_run_id, timestamp);
CREATE INDEX ix_flow_run_state__result_artifact_id ON flow_run_state (result_artifact_id);
CREATE UNIQUE INDEX uq_task_run_state__task_run_id_timestamp_desc ON task_run_state (task_run_id, timestamp);
CREATE INDEX ix_task_run_state__result_artifact_id ON task_run_state (result_artifact_id);

-- revision f92143d30c25: Adds a helper index for the artifact data migration
ALTER TABLE flow_run_state ADD COLUMN has_data BOOLEAN;
ALTER TABLE task_run_state ADD COLUMN has_data BOOLEAN;
UPDATE flow_run_state SET has_data = (data IS NOT NULL AND data IS NOT 'null') WHERE has_data IS NULL;
UPDATE task_run_state SET has_data = (data IS NOT NULL AND data IS NOT 'null') WHERE has_data IS NULL;
CREATE INDEX ix_flow_run_state__has_data ON flow_run_state (has_data);
CREATE INDEX ix_task_run_state__has_data ON task_run_state (has_data);

-- revision f92143d30c26: Migrates state data to the artifact table
INSERT INTO artifact (task_run_state_id, task_run_id, data)
    SELECT id, task_run_id, data FROM task_run_state WHERE has_data IS TRUE ORDER BY id;
UPDATE task_run_state SET result_artifact_id = (SELECT a.id FROM artifact a WHERE a.task_run_state_id = task_run_state.id)
    WHERE has_data IS TRUE AND result_artifact_id IS NULL;
INSERT INTO artifact (flow_run_state_id, flow_run_id, data)
    SELECT id, flow_run_id, data FROM flow_run_state WHERE has_data IS TRUE ORDER BY id;
UPDATE flow_run_state SET result_artifact_id = (SELECT a.id FROM artifact a WHERE a.flow_run_state_id = flow_run_state.id)
    WHERE has_data IS TRUE AND result_artifact_id IS NULL;

-- revision f92143d30c27: State data migration cleanup
DROP INDEX ix_artifact__flow_run_state_id;
DROP INDEX ix_artifact__task_run_state_id;
DROP INDEX ix_flow_run_state__has_data;
DROP INDEX ix_task_run_state__has_data;
-- rebuild
CREATE TABLE artifact (
    @standard,
    key VARCHAR,
    type VARCHAR,
    data JSON,
    metadata_ JSON,
    task_run_id CHAR(36),
    flow_run_id CHAR(36),
    CONSTRAINT pk_artifact PRIMARY KEY (id),
    CONSTRAINT fk_artifact__flow_run_id__flow_run FOREIGN KEY (flow_run_id) REFERENCES flow_run (id),
    CONSTRAINT fk_artifact__task_run_id__task_run FOREIGN KEY (task_run_id) REFERENCES task_run (id)
);
-- rebuild
CREATE TABLE flow_run_state (
    @standard,
    type VARCHAR(9) NOT NULL,
    timestamp DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')) NOT NULL,
    name VARCHAR NOT NULL,
    message VARCHAR,
    state_details JSON DEFAULT '{}' NOT NULL,
    data JSON,
    flow_run_id CHAR(36) NOT NULL,
    result_artifact_id CHAR(36),
    CONSTRAINT pk_flow_run_state PRIMARY KEY (id),
    CONSTRAINT fk_flow_run_state__flow_run_id__flow_run FOREIGN KEY (flow_run_id) REFERENCES flow_run (id) ON DELETE CASCADE,
    CONSTRAINT fk_flow_run_state__result_artifact_id__artifact FOREIGN KEY (result_artifact_id) REFERENCES artifact (id) ON DELETE SET NULL
);
-- rebuild
CREATE TABLE task_run_state (
    @standard,
    type VARCHAR(9) NOT NULL,
    timestamp DATETIME DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')) NOT NULL,
    name VARCHAR NOT NULL,
    message VARCHAR,
    state_details JSON DEFAULT '{}' NOT NULL,
    data JSON,
    task_run_id CHAR(36) NOT NULL,
    result_artifact_id CHAR(36),
    CONSTRAINT pk_task_run_state PRIMARY KEY (id),
    CONSTRAINT fk_task_run_state__result_artifact_id__artifact FOREIGN KEY (result_artifact_id) REFERENCES artifact (id) ON DELETE SET NULL,
    CONSTRAINT fk_task_run_state__task_run_id__task_run FOREIGN KEY (task_run_id) REFERENCES task_run (id) ON DELETE CASCADE
);

-- revision b9bda9f142f1: Expand work queue table
DROP INDEX ix_deployment__work_pool_queue_id;
DROP INDEX ix_flow_run__work_pool_queue_id;
ALTER TABLE work_queue ADD COLUMN priority INTEGER DEFAULT '1' NOT NULL;
ALTER TABLE work_queue ADD COLUMN work_pool_id CHAR(36);
-- edit
CREATE TABLE work_queue (
    @standard,
    name VARCHAR NOT NULL,
    filter JSON,
    description VARCHAR DEFAULT ('') NOT NULL,
    is_paused BOOLEAN DEFAULT '0' NOT NULL,
    concurrency_limit INTEGER,
    last_polled DATETIME,
    priority INTEGER DEFAULT '1' NOT NULL,
    work_pool_id CHAR(36),
    CONSTRAINT pk_work_queue PRIMARY KEY (id),
    CONSTRAINT uq_work_queue__name UNIQUE (name),
    CONSTRAINT fk_work_queue__work_pool_id__work_pool FOREIGN KEY (work_pool_id) REFERENCES work_pool (id) ON DELETE cascade
);
ALTER TABLE flow_run ADD COLUMN work_queue_id CHAR(36);
-- rebuild
CREATE TABLE flow_run (
    @standard,
    name VARCHAR NOT NULL,
    state_type VARCHAR(9),
    run_count INTEGER DEFAULT '0' NOT NULL,
    expected_start_time DATETIME,
    next_scheduled_start_time DATETIME,
    start_time DATETIME,
    end_time DATETIME,
    total_run_time DATETIME DEFAULT '0' NOT NULL,
    flow_version VARCHAR,
    parameters JSON DEFAULT '{}' NOT NULL,
    idempotency_key VARCHAR,
    context JSON DEFAULT '{}' NOT NULL,
    empirical_policy JSON DEFAULT '{}' NOT NULL,
    tags JSON DEFAULT '[]' NOT NULL,
    auto_scheduled BOOLEAN DEFAULT '0' NOT NULL,
    flow_id CHAR(36) NOT NULL,
    deployment_id CHAR(36),
    parent_task_run_id CHAR(36),
    state_id CHAR(36),
    state_name VARCHAR,
    infrastructure_document_id CHAR(36),
    work_queue_name VARCHAR,
    state_timestamp DATETIME,
    created_by JSON,
    infrastructure_pid VARCHAR,
    work_queue_id CHAR(36),
    CONSTRAINT pk_flow_run PRIMARY KEY (id),
    CONSTRAINT fk_flow_run__deployment_id__deployment FOREIGN KEY (deployment_id) REFERENCES deployment (id) ON DELETE SET NULL,
    CONSTRAINT fk_flow_run__flow_id__flow FOREIGN KEY (flow_id) REFERENCES flow (id) ON DELETE CASCADE,
    CONSTRAINT fk_flow_run__infrastructure_document_id__block_document FOREIGN KEY (infrastructure_document_id) REFERENCES block_document (id) ON DELETE CASCADE,
    CONSTRAINT fk_flow_run__parent_task_run_id__task_run FOREIGN KEY (parent_task_run_id) REFERENCES task_run (id) ON DELETE SET NULL,
    CONSTRAINT fk_flow_run__state_id__flow_run_state FOREIGN KEY (state_id) REFERENCES flow_run_state (id) ON DELETE SET NULL,
    CONSTRAINT fk_flow_run__work_queue_id__work_queue FOREIGN KEY (work_queue_id) REFERENCES work_queue (id) ON DELETE SET NULL
);
ALTER TABLE deployment ADD COLUMN work_queue_id CHAR(36);
-- rebuild
CREATE TABLE deployment (
    @standard,
    name VARCHAR NOT NULL,
    schedule JSON,
    is_schedule_active BOOLEAN DEFAULT '1' NOT NULL,
    tags JSON DEFAULT '[]' NOT NULL,
    parameters JSON DEFAULT '{}' NOT NULL,
    flow_data JSON,
    flow_id CHAR(36) NOT NULL,
    description TEXT,
    infrastructure_document_id CHAR(36),
    manifest_path VARCHAR,
    parameter_openapi_schema JSON,
    storage_document_id CHAR(36),
    version VARCHAR,
    infra_overrides JSON DEFAULT '{}' NOT NULL,
    path VARCHAR,
    entrypoint VARCHAR,
    work_queue_name VARCHAR,
    created_by JSON,
    updated_by JSON,
    work_queue_id CHAR(36),
    CONSTRAINT pk_deployment PRIMARY KEY (id),
    CONSTRAINT fk_deployment__flow_id__flow FOREIGN KEY (flow_id) REFERENCES flow (id) ON DELETE CASCADE,
    CONSTRAINT fk_deployment__infrastructure_document_id__block_document FOREIGN KEY (infrastructure_document_id) REFERENCES block_document (id) ON DELETE CASCADE,
    CONSTRAINT fk_deployment__storage_document_id__block_document FOREIGN KEY (storage_document_id) REFERENCES block_document (id) ON DELETE CASCADE,
    CONSTRAINT fk_deployment__work_queue_id__work_queue FOREIGN KEY (work_queue_id) REFERENCES work_queue (id) ON DELETE SET NULL
);
-- edit
CREATE TABLE work_pool (
    @standard,
    name VARCHAR NOT NULL,
    description VARCHAR,
    type VARCHAR NOT NULL,
    base_job_template JSON DEFAULT '{}' NOT NULL,
    is_paused BOOLEAN DEFAULT '0' NOT NULL,
    concurrency_limit INTEGER,
    default_queue_id CHAR(36),
    CONSTRAINT pk_work_pool PRIMARY KEY (id),
    CONSTRAINT uq_work_pool__name UNIQUE (name),
    CONSTRAINT fk_work_pool__default_queue_id__work_queue FOREIGN KEY (default_queue_id) REFERENCES work_queue (id) ON DELETE RESTRICT
);
CREATE INDEX ix_work_queue__work_pool_id ON work_queue (work_pool_id);
CREATE INDEX ix_work_queue__work_pool_id_priority ON work_queue (work_pool_id, priority);
CREATE INDEX ix_flow_run__work_queue_id ON flow_run (work_queue_id);
CREATE INDEX ix_deployment__work_queue_id ON deployment (work_queue_id);

-- revision 1678f2fb8b33: Work queue data migration
INSERT INTO work_pool (name, type) VALUES ('default-agent-pool', 'prefect-agent');
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
-- rebuild
CREATE TABLE work_queue (
    @standard,
    name VARCHAR NOT NULL,
    filter JSON,
    description VARCHAR DEFAULT ('') NOT NULL,
    is_paused BOOLEAN DEFAULT '0' NOT NULL,
    concurrency_limit INTEGER,
    last_polled DATETIME,
    priority INTEGER DEFAULT '1' NOT NULL,
    work_pool_id CHAR(36) NOT NULL,
    CONSTRAINT pk_work_queue PRIMARY KEY (id),
    CONSTRAINT uq_work_queue__work_pool_id_name UNIQUE (work_pool_id, name),
    CONSTRAINT fk_work_queue__work_pool_id__work_pool FOREIGN KEY (work_pool_id) REFERENCES work_pool (id) ON DELETE CASCADE
);

-- revision bfe42b7090d6: Clean up work queue migration
DROP TABLE work_pool_queue;
-- edit
CREATE TABLE work_queue (
    @standard,
    name VARCHAR NOT NULL,
    filter JSON,
    description VARCHAR DEFAULT ('') NOT NULL,
    is_paused BOOLEAN DEFAULT '0' NOT NULL,
    concurrency_limit INTEGER,
    last_polled DATETIME,
    priority INTEGER DEFAULT '1' NOT NULL,
    work_pool_id CHAR(36) NOT NULL,
    CONSTRAINT pk_work_queue PRIMARY KEY (id),
    CONSTRAINT uq_work_queue__work_pool_id_name UNIQUE (work_pool_id, name),
    CONSTRAINT fk_work_queue__work_pool_id__work_pool FOREIGN KEY (work_pool_id) REFERENCES work_pool (id) ON DELETE CASCADE
);

-- revision 8d148e44e669: Remove Artifact foreign keys
-- edit
CREATE TABLE artifact (
    @standard,
    key VARCHAR,
    type VARCHAR,
    data JSON,
    metadata_ JSON,
    task_run_id CHAR(36),
    flow_run_id CHAR(36),
    CONSTRAINT pk_artifact PRIMARY KEY (id)
);

-- revision f3df94dca3cc: remove_flowrun_deployment_fk
-- edit
CREATE TABLE flow_run (
    @standard,
    name VARCHAR NOT NULL,
    state_type VARCHAR(9),
    run_count INTEGER DEFAULT '0' NOT NULL,
    expected_start_time DATETIME,
    next_scheduled_start_time DATETIME,
    start_time DATETIME,
    end_time DATETIME,
    total_run_time DATETIME DEFAULT '0' NOT NULL,
    flow_version VARCHAR,
    parameters JSON DEFAULT '{}' NOT NULL,
    idempotency_key VARCHAR,
    context JSON DEFAULT '{}' NOT NULL,
    empirical_policy JSON DEFAULT '{}' NOT NULL,
    tags JSON DEFAULT '[]' NOT NULL,
    auto_scheduled BOOLEAN DEFAULT '0' NOT NULL,
    flow_id CHAR(36) NOT NULL,
    deployment_id CHAR(36),
    parent_task_run_id CHAR(36),
    state_id CHAR(36),
    state_name VARCHAR,
    infrastructure_document_id CHAR(36),
    work_queue_name VARCHAR,
    state_timestamp DATETIME,
    created_by JSON,
    infrastructure_pid VARCHAR,
    work_queue_id CHAR(36),
    CONSTRAINT pk_flow_run PRIMARY KEY (id),
    CONSTRAINT fk_flow_run__flow_id__flow FOREIGN KEY (flow_id) REFERENCES flow (id) ON DELETE CASCADE,
    CONSTRAINT fk_flow_run__infrastructure_document_id__block_document FOREIGN KEY (infrastructure_document_id) REFERENCES block_document (id) ON DELETE CASCADE,
    CONSTRAINT fk_flow_run__parent_task_run_id__task_run FOREIGN KEY (parent_task_run_id) REFERENCES task_run (id) ON DELETE SET NULL,
    CONSTRAINT fk_flow_run__state_id__flow_run_state FOREIGN KEY (state_id) REFERENCES flow_run_state (id) ON DELETE SET NULL,
    CONSTRAINT fk_flow_run__work_queue_id__work_queue FOREIGN KEY (work_queue_id) REFERENCES work_queue (id) ON DELETE SET NULL
);

-- revision cf1159bd0d3c: Add description col to artifact table
ALTER TABLE artifact ADD COLUMN description VARCHAR;

-- revision 1d7441c031d0: Removes unique constraint from artifact table key column
DROP INDEX ix_artifact__key;
CREATE INDEX ix_artifact__key ON artifact (key);

-- revision b9aafc3ab936: Adds artifact_collection table
CREATE TABLE artifact_collection (
    @standard,
    key VARCHAR NOT NULL,
    latest_id CHAR(36) NOT NULL,
    CONSTRAINT pk_artifact_collection PRIMARY KEY (id),
    CONSTRAINT uq_artifact_collection__key UNIQUE (key)
);
CREATE INDEX ix_artifact_collection__key_latest_id ON artifact_collection (key, latest_id);

-- revision 422f8ba9541d: Add index for querying artifacts
CREATE INDEX ix_artifact__key_created_desc ON artifact_collection (key, created DESC);

-- revision 553920ec20e9: add_index_on_log
CREATE INDEX ix_log__flow_run_id_timestamp ON log (flow_run_id, timestamp);

-- revision 3e1eb8281d5e: Add cols to artifact_collection
ALTER TABLE artifact_collection ADD COLUMN task_run_id CHAR(36);
ALTER TABLE artifact_collection ADD COLUMN flow_run_id CHAR(36);
ALTER TABLE artifact_collection ADD COLUMN type VARCHAR;
ALTER TABLE artifact_collection ADD COLUMN data JSON;
ALTER TABLE artifact_collection ADD COLUMN description VARCHAR;
ALTER TABLE artifact_collection ADD COLUMN metadata_ JSON;

-- revision 340f457b315f: Add column to deployments for pull steps
ALTER TABLE deployment ADD COLUMN pull_steps JSON;

-- revision 3d46e23593d6: add_variables
CREATE TABLE variable (
    @standard,
    name VARCHAR NOT NULL,
    value VARCHAR NOT NULL,
    tags JSON DEFAULT '[]' NOT NULL,
    CONSTRAINT pk_variable PRIMARY KEY (id),
    CONSTRAINT uq_variable__name UNIQUE (name)
);
CREATE INDEX ix_variable__updated ON variable (updated);

-- revision 2dbcec43c857: Migrate artifact data to artifact_collection table
UPDATE artifact_collection SET (data, description, flow_run_id, task_run_id, type, metadata_) =
        (SELECT a.data, a.description, a.flow_run_id, a.task_run_id, a.type, a.metadata_ FROM artifact a
            WHERE a.id = artifact_collection.latest_id)
    WHERE latest_id IN (SELECT id FROM artifact);

-- revision 5b0bd3b41a23: Create concurrency_limit_v2 table
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

-- revision c2d001b7dd06: Adds heartbeat_interval_seconds column to worker table
ALTER TABLE worker ADD COLUMN heartbeat_interval_seconds INTEGER;

-- revision ef674d598dd3: Adds enforce_parameter_schema column to deployment table
ALTER TABLE deployment ADD COLUMN enforce_parameter_schema BOOLEAN DEFAULT '0' NOT NULL;

-- revision 8167af8df781: Make slot_decay_per_second not nullable
UPDATE concurrency_limit_v2 SET slot_decay_per_second = 0.0 WHERE slot_decay_per_second IS NULL;
-- edit
CREATE TABLE concurrency_limit_v2 (
    @standard,
    active BOOLEAN NOT NULL,
    name VARCHAR NOT NULL,
    "limit" INTEGER NOT NULL,
    active_slots INTEGER NOT NULL,
    denied_slots INTEGER NOT NULL,
    slot_decay_per_second FLOAT NOT NULL,
    avg_slot_occupancy_seconds FLOAT NOT NULL,
    CONSTRAINT pk_concurrency_limit_v2 PRIMARY KEY (id),
    CONSTRAINT uq_concurrency_limit_v2__name UNIQUE (name)
);

-- revision 05ea6f882b1d: Make flow_run_id nullable on task_run and log tables
DROP INDEX ix_task_run__end_time_desc;
DROP INDEX ix_task_run__expected_start_time_desc;
DROP INDEX ix_task_run__next_scheduled_start_time_asc;
DROP INDEX ix_task_run_name_case_insensitive;
-- edit
CREATE TABLE task_run (
    @standard,
    name VARCHAR NOT NULL,
    state_type VARCHAR(9),
    run_count INTEGER DEFAULT '0' NOT NULL,
    expected_start_time DATETIME,
    next_scheduled_start_time DATETIME,
    start_time DATETIME,
    end_time DATETIME,
    total_run_time DATETIME DEFAULT '0' NOT NULL,
    task_key VARCHAR NOT NULL,
    dynamic_key VARCHAR NOT NULL,
    cache_key VARCHAR,
    cache_expiration DATETIME,
    task_version VARCHAR,
    empirical_policy JSON DEFAULT '{}' NOT NULL,
    task_inputs JSON DEFAULT '{}' NOT NULL,
    tags JSON DEFAULT '[]' NOT NULL,
    flow_run_id CHAR(36),
    state_id CHAR(36),
    state_name VARCHAR,
    state_timestamp DATETIME,
    flow_run_run_count INTEGER DEFAULT '0' NOT NULL,
    CONSTRAINT pk_task_run PRIMARY KEY (id),
    CONSTRAINT fk_task_run__flow_run_id__flow_run FOREIGN KEY (flow_run_id) REFERENCES flow_run (id) ON DELETE CASCADE,
    CONSTRAINT fk_task_run__state_id__task_run_state FOREIGN KEY (state_id) REFERENCES task_run_state (id) ON DELETE SET NULL
);
-- edit
CREATE TABLE log (
    @standard,
    name VARCHAR NOT NULL,
    level SMALLINT NOT NULL,
    flow_run_id CHAR(36),
    task_run_id CHAR(36),
    message TEXT NOT NULL,
    timestamp DATETIME NOT NULL,
    CONSTRAINT pk_log PRIMARY KEY (id)
);
CREATE INDEX ix_task_run__next_scheduled_start_time_asc ON task_run (next_scheduled_start_time);
CREATE INDEX ix_task_run__end_time_desc ON task_run (end_time);
CREATE INDEX ix_task_run_name_case_insensitive ON task_run (name);
CREATE INDEX ix_task_run__expected_start_time_desc ON task_run (expected_start_time);

-- revision f3165ae0a213: Add `last_polled` to deployment
ALTER TABLE deployment ADD COLUMN last_polled DATETIME;

-- revision cef24af2ec34: Add block_type_name to block document
ALTER TABLE block_document ADD COLUMN block_type_name VARCHAR;

-- revision 22ef3915ccd8: Index and backfill block_type_name
UPDATE block_document SET block_type_name = (SELECT t.name FROM block_type t WHERE t.id = block_document.block_type_id)
    WHERE block_type_name IS NULL;
CREATE INDEX ix_block_document__block_type_name_name ON block_document (block_type_name, name);

-- revision 9c493c02ca6d: Add trgm index to block_document.name
CREATE INDEX ix_block_document_name_case_insensitive on block_document (name COLLATE NOCASE);

-- revision a299308852a7: Create `flow_run_input` table
CREATE TABLE flow_run_input (
    @standard,
    key VARCHAR NOT NULL,
    value TEXT NOT NULL,
    flow_run_id CHAR(36) NOT NULL,
    CONSTRAINT pk_flow_run_input PRIMARY KEY (id),
    CONSTRAINT uq_flow_run_input__flow_run_id_key UNIQUE (flow_run_id, key)
);
CREATE INDEX ix_flow_run_input__updated ON flow_run_input (updated);

-- revision 35659cc49969: Make `FlowRunInput.flow_run_id` a foreign key to `flow_run`
-- edit
CREATE TABLE flow_run_input (
    @standard,
    key VARCHAR NOT NULL,
    value TEXT NOT NULL,
    flow_run_id CHAR(36) NOT NULL,
    CONSTRAINT pk_flow_run_input PRIMARY KEY (id),
    CONSTRAINT uq_flow_run_input__flow_run_id_key UNIQUE (flow_run_id, key),
    CONSTRAINT fk_flow_run_input__flow_run_id__flow_run FOREIGN KEY (flow_run_id) REFERENCES flow_run (id) ON DELETE cascade
);

-- revision c63a0a6dc787: Add `sender` to `FlowRunInput`
ALTER TABLE flow_run_input ADD COLUMN sender VARCHAR;

-- revision 265eb1a2da4c: Create `deployment_schedule` and add `Deployment.paused`
CREATE TABLE deployment_schedule (
    @standard,
    schedule JSON NOT NULL,
    active BOOLEAN NOT NULL,
    deployment_id CHAR(36) NOT NULL,
    CONSTRAINT pk_deployment_schedule PRIMARY KEY (id),
    CONSTRAINT fk_deployment_schedule__deployment_id__deployment FOREIGN KEY (deployment_id) REFERENCES deployment (id) ON DELETE CASCADE
);
ALTER TABLE deployment ADD COLUMN paused BOOLEAN DEFAULT '0' NOT NULL;
INSERT INTO deployment_schedule (deployment_id, schedule, active)
    SELECT id, schedule, is_schedule_active FROM deployment WHERE schedule IS NOT NULL AND schedule != 'null';
UPDATE deployment SET paused = NOT is_schedule_active WHERE paused = is_schedule_active;
CREATE INDEX ix_deployment_schedule__deployment_id ON deployment_schedule (deployment_id);
CREATE INDEX ix_deployment_schedule__updated ON deployment_schedule (updated);
CREATE INDEX ix_deployment__paused ON deployment (paused);

-- revision 342220764f0b: Add job_variables column to flow-runs
ALTER TABLE flow_run ADD COLUMN job_variables JSON DEFAULT '{}';

-- revision bacc60edce16: Create csrf_token toble
CREATE TABLE csrf_token (
    token VARCHAR NOT NULL,
    client VARCHAR NOT NULL,
    expiration DATETIME NOT NULL,
    @id,
    @created,
    @updated,
    CONSTRAINT pk_csrf_token PRIMARY KEY (id),
    CONSTRAINT uq_csrf_token__client UNIQUE (client)
);
CREATE INDEX ix_csrf_token__updated ON csrf_token (updated);

-- revision 07ed05dfd4ec: Automations models
CREATE TABLE automation (
    name VARCHAR NOT NULL,
    description VARCHAR NOT NULL,
    enabled BOOLEAN DEFAULT '1' NOT NULL,
    "trigger" JSON NOT NULL,
    actions JSON NOT NULL,
    actions_on_trigger JSON DEFAULT '[]' NOT NULL,
    actions_on_resolve JSON DEFAULT '[]' NOT NULL,
    @id,
    @created,
    @updated,
    CONSTRAINT pk_automation PRIMARY KEY (id)
);
CREATE TABLE automation_bucket (
    automation_id CHAR(36) NOT NULL,
    trigger_id CHAR(36),
    bucketing_key JSON NOT NULL,
    last_event JSON,
    start DATETIME NOT NULL,
    "end" DATETIME NOT NULL,
    count INTEGER NOT NULL,
    last_operation VARCHAR,
    triggered_at DATETIME NOT NULL,
    @id,
    @created,
    @updated,
    CONSTRAINT pk_automation_bucket PRIMARY KEY (id),
    CONSTRAINT fk_automation_bucket__automation_id__automation FOREIGN KEY (automation_id) REFERENCES automation (id) ON DELETE CASCADE
);
CREATE TABLE automation_related_resource (
    automation_id CHAR(36) NOT NULL,
    resource_id VARCHAR,
    automation_owned_by_resource BOOLEAN DEFAULT '0' NOT NULL,
    @id,
    @created,
    @updated,
    CONSTRAINT pk_automation_related_resource PRIMARY KEY (id),
    CONSTRAINT fk_automation_related_resource__automation_id__automation FOREIGN KEY (automation_id) REFERENCES automation (id) ON DELETE CASCADE
);
CREATE TABLE composite_trigger_child_firing (
    automation_id CHAR(36) NOT NULL,
    parent_trigger_id CHAR(36) NOT NULL,
    child_trigger_id CHAR(36) NOT NULL,
    child_firing_id CHAR(36) NOT NULL,
    child_fired_at DATETIME,
    child_firing JSON NOT NULL,
    @id,
    @created,
    @updated,
    CONSTRAINT pk_composite_trigger_child_firing PRIMARY KEY (id),
    CONSTRAINT fk_composite_trigger_child_firing__automation_id__automation FOREIGN KEY (automation_id) REFERENCES automation (id) ON DELETE CASCADE
);
CREATE INDEX ix_automation__updated ON automation (updated);
CREATE INDEX ix_automation_bucket__automation_id__end ON automation_bucket (automation_id, "end");
CREATE INDEX ix_automation_bucket__updated ON automation_bucket (updated);
CREATE UNIQUE INDEX uq_automation_bucket__automation_id__bucketing_key ON automation_bucket (automation_id, bucketing_key);
CREATE INDEX ix_automation_related_resource__resource_id ON automation_related_resource (resource_id);
CREATE INDEX ix_automation_related_resource__updated ON automation_related_resource (updated);
CREATE UNIQUE INDEX uq_automation_related_resource__automation_id__resource_id ON automation_related_resource (automation_id, resource_id);
CREATE INDEX ix_composite_trigger_child_firing__updated ON composite_trigger_child_firing (updated);
CREATE UNIQUE INDEX uq_composite_trigger_child_firing__a_id__pt_id__ct__id ON composite_trigger_child_firing (automation_id, parent_trigger_id, child_trigger_id);

-- revision 8644a9595a08: add_deployment_version_to_flow_run
ALTER TABLE flow_run ADD COLUMN deployment_version VARCHAR;
CREATE INDEX ix_flow_run__deployment_version ON flow_run (deployment_version);

-- revision cc510aec4689: Automation event follower
CREATE TABLE automation_event_follower (
    leader_event_id CHAR(36) NOT NULL,
    follower_event_id CHAR(36) NOT NULL,
    received DATETIME NOT NULL,
    follower JSON NOT NULL,
    @id,
    @created,
    @updated,
    CONSTRAINT pk_automation_event_follower PRIMARY KEY (id),
    CONSTRAINT uq_automation_event_follower__follower_event_id UNIQUE (follower_event_id)
);
CREATE INDEX ix_automation_event_follower__leader_event_id ON automation_event_follower (leader_event_id);
CREATE INDEX ix_automation_event_follower__received ON automation_event_follower (received);
CREATE INDEX ix_automation_event_follower__updated ON automation_event_follower (updated);

-- revision 2b6c2b548f95: Add `trigger_id` to the unique index for `automation_bucket`
DROP INDEX uq_automation_bucket__automation_id__bucketing_key;
-- edit
CREATE TABLE automation_bucket (
    automation_id CHAR(36) NOT NULL,
    trigger_id CHAR(36) NOT NULL,
    bucketing_key JSON NOT NULL,
    last_event JSON,
    start DATETIME NOT NULL,
    "end" DATETIME NOT NULL,
    count INTEGER NOT NULL,
    last_operation VARCHAR,
    triggered_at DATETIME,
    @id,
    @created,
    @updated,
    CONSTRAINT pk_automation_bucket PRIMARY KEY (id),
    CONSTRAINT fk_automation_bucket__automation_id__automation FOREIGN KEY (automation_id) REFERENCES automation (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX uq_automation_bucket__automation_id__trigger_id__bucketing_key ON automation_bucket (automation_id, trigger_id, bucketing_key);

-- revision 824e9edafa60: Add `events` and `event_resources` tables
CREATE TABLE event_resources (
    occurred DATETIME NOT NULL,
    resource_id TEXT NOT NULL,
    resource_role TEXT NOT NULL,
    resource JSON NOT NULL,
    event_id CHAR(36) NOT NULL,
    @id,
    @created,
    @updated,
    CONSTRAINT pk_event_resources PRIMARY KEY (id)
);
CREATE TABLE events (
    occurred DATETIME NOT NULL,
    event TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    resource JSON NOT NULL,
    related_resource_ids JSON DEFAULT '[]' NOT NULL,
    related JSON DEFAULT '[]' NOT NULL,
    payload JSON NOT NULL,
    received DATETIME NOT NULL,
    recorded DATETIME NOT NULL,
    follows CHAR(36),
    @id,
    @created,
    @updated,
    CONSTRAINT pk_events PRIMARY KEY (id)
);
CREATE INDEX ix_event_resources__resource_id__occurred ON event_resources (resource_id, occurred);
CREATE INDEX ix_event_resources__updated ON event_resources (updated);
CREATE INDEX ix_events__event__id ON events (event, id);
CREATE INDEX ix_events__event_occurred_id ON events (event, occurred, id);
CREATE INDEX ix_events__event_related_occurred ON events (event, related, occurred);
CREATE INDEX ix_events__event_resource_id_occurred ON events (event, resource_id, occurred);
CREATE INDEX ix_events__occurred ON events (occurred);
CREATE INDEX ix_events__occurred_id ON events (occurred, id);
CREATE INDEX ix_events__related_resource_ids ON events (related_resource_ids);
CREATE INDEX ix_events__updated ON events (updated);

-- revision 75c8f17b8b51: Work status fields
ALTER TABLE deployment ADD COLUMN status VARCHAR(9) DEFAULT 'NOT_READY' NOT NULL;
ALTER TABLE work_pool ADD COLUMN status VARCHAR(9) DEFAULT 'NOT_READY' NOT NULL;
ALTER TABLE work_queue ADD COLUMN status VARCHAR(9) DEFAULT 'NOT_READY' NOT NULL;

-- revision a8e62d4c72cf: Worker status field
ALTER TABLE work_pool ADD COLUMN last_transitioned_status_at DATETIME;
ALTER TABLE work_pool ADD COLUMN last_status_event_id CHAR(36);
ALTER TABLE worker ADD COLUMN status VARCHAR(7) DEFAULT 'OFFLINE' NOT NULL;

-- revision 20fbd53b3cef: add catchup fields to DeploymentSchedule
ALTER TABLE deployment_schedule ADD COLUMN max_active_runs INTEGER;
ALTER TABLE deployment_schedule ADD COLUMN max_scheduled_runs INTEGER;
ALTER TABLE deployment_schedule ADD COLUMN catchup BOOLEAN DEFAULT '0' NOT NULL;

-- revision 2ac65f1758c2: json_variables
ALTER TABLE variable ADD COLUMN json_value JSON;
-- step make_variables_json
ALTER TABLE variable RENAME COLUMN value TO old_value;
ALTER TABLE variable RENAME COLUMN json_value TO value;
-- rebuild
CREATE TABLE variable (
    @standard,
    name VARCHAR NOT NULL,
    tags JSON DEFAULT '[]' NOT NULL,
    value JSON,
    CONSTRAINT pk_variable PRIMARY KEY (id),
    CONSTRAINT uq_variable__name UNIQUE (name)
);

-- revision 354f1ede7e9f: Adding scope to followers
-- rebuild
CREATE TABLE automation_event_follower (
    leader_event_id CHAR(36) NOT NULL,
    follower_event_id CHAR(36) NOT NULL,
    received DATETIME NOT NULL,
    follower JSON NOT NULL,
    @id,
    @created,
    @updated,
    scope VARCHAR NOT NULL,
    CONSTRAINT pk_automation_event_follower PRIMARY KEY (id)
);
CREATE INDEX ix_automation_event_follower__scope ON automation_event_follower (scope);
CREATE UNIQUE INDEX uq_follower_for_scope ON automation_event_follower (scope, follower_event_id);

-- revision f93e1439f022: add_deployment_concurrency_limit
ALTER TABLE deployment ADD COLUMN concurrency_limit INTEGER;

-- revision 7d6350aea855: add concurrency options
ALTER TABLE deployment ADD COLUMN concurrency_options JSON;

-- revision 4ad4658cbefe: Add deployment to global concurrency limit FK
ALTER TABLE deployment ADD COLUMN concurrency_limit_id CHAR(36);
-- edit
CREATE TABLE deployment (
    @standard,
    name VARCHAR NOT NULL,
    schedule JSON,
    is_schedule_active BOOLEAN DEFAULT '1' NOT NULL,
    tags JSON DEFAULT '[]' NOT NULL,
    parameters JSON DEFAULT '{}' NOT NULL,
    flow_data JSON,
    flow_id CHAR(36) NOT NULL,
    description TEXT,
    infrastructure_document_id CHAR(36),
    manifest_path VARCHAR,
    parameter_openapi_schema JSON,
    storage_document_id CHAR(36),
    version VARCHAR,
    infra_overrides JSON DEFAULT '{}' NOT NULL,
    path VARCHAR,
    entrypoint VARCHAR,
    work_queue_name VARCHAR,
    created_by JSON,
    updated_by JSON,
    work_queue_id CHAR(36),
    pull_steps JSON,
    enforce_parameter_schema BOOLEAN DEFAULT '0' NOT NULL,
    last_polled DATETIME,
    paused BOOLEAN DEFAULT '0' NOT NULL,
    status VARCHAR(9) DEFAULT 'NOT_READY' NOT NULL,
    concurrency_limit INTEGER,
    concurrency_options JSON,
    concurrency_limit_id CHAR(36),
    CONSTRAINT pk_deployment PRIMARY KEY (id),
    CONSTRAINT fk_deployment__concurrency_limit_id__concurrency_limit_v2 FOREIGN KEY (concurrency_limit_id) REFERENCES concurrency_limit_v2 (id) ON DELETE SET NULL,
    CONSTRAINT fk_deployment__flow_id__flow FOREIGN KEY (flow_id) REFERENCES flow (id) ON DELETE CASCADE,
    CONSTRAINT fk_deployment__infrastructure_document_id__block_document FOREIGN KEY (infrastructure_document_id) REFERENCES block_document (id) ON DELETE CASCADE,
    CONSTRAINT fk_deployment__storage_document_id__block_document FOREIGN KEY (storage_document_id) REFERENCES block_document (id) ON DELETE CASCADE,
    CONSTRAINT fk_deployment__work_queue_id__work_queue FOREIGN KEY (work_queue_id) REFERENCES work_queue (id) ON DELETE SET NULL
);
UPDATE deployment SET concurrency_limit_id = (SELECT l.id FROM concurrency_limit_v2 l
        WHERE l.name = 'deployment:' || deployment.id)
    WHERE EXISTS (SELECT 1 FROM concurrency_limit_v2 l WHERE l.name = 'deployment:' || deployment.id);

-- revision 5952a5498b51: Add `labels` column to Flow, FlowRun, TaskRun, and Deployment
ALTER TABLE deployment ADD COLUMN labels JSON;
ALTER TABLE flow ADD COLUMN labels JSON;
ALTER TABLE flow_run ADD COLUMN labels JSON;
ALTER TABLE task_run ADD COLUMN labels JSON;

-- revision a49711513ad4: Sync ORM models and migrations
DROP INDEX ix_flow_run__deployment_id;
DROP INDEX ix_artifact__key_created_desc;
DROP INDEX ix_block_document__block_type_name_name;
-- rebuild
CREATE TABLE deployment (
    @standard,
    name VARCHAR NOT NULL,
    tags JSON DEFAULT '[]' NOT NULL,
    parameters JSON DEFAULT '{}' NOT NULL,
    flow_id CHAR(36) NOT NULL,
    description TEXT,
    infrastructure_document_id CHAR(36),
    parameter_openapi_schema JSON,
    storage_document_id CHAR(36),
    version VARCHAR,
    infra_overrides JSON DEFAULT '{}' NOT NULL,
    path VARCHAR,
    entrypoint VARCHAR,
    work_queue_name VARCHAR,
    created_by JSON,
    updated_by JSON,
    work_queue_id CHAR(36),
    pull_steps JSON,
    enforce_parameter_schema BOOLEAN DEFAULT '0' NOT NULL,
    last_polled DATETIME,
    paused BOOLEAN DEFAULT '0' NOT NULL,
    status VARCHAR(9) DEFAULT 'NOT_READY' NOT NULL,
    concurrency_limit INTEGER,
    concurrency_options JSON,
    concurrency_limit_id CHAR(36),
    labels JSON,
    CONSTRAINT pk_deployment PRIMARY KEY (id),
    CONSTRAINT fk_deployment__concurrency_limit_id__concurrency_limit_v2 FOREIGN KEY (concurrency_limit_id) REFERENCES concurrency_limit_v2 (id) ON DELETE SET NULL,
    CONSTRAINT fk_deployment__flow_id__flow FOREIGN KEY (flow_id) REFERENCES flow (id) ON DELETE CASCADE,
    CONSTRAINT fk_deployment__infrastructure_document_id__block_document FOREIGN KEY (infrastructure_document_id) REFERENCES block_document (id) ON DELETE CASCADE,
    CONSTRAINT fk_deployment__storage_document_id__block_document FOREIGN KEY (storage_document_id) REFERENCES block_document (id) ON DELETE CASCADE,
    CONSTRAINT fk_deployment__work_queue_id__work_queue FOREIGN KEY (work_queue_id) REFERENCES work_queue (id) ON DELETE SET NULL
);
-- rebuild
CREATE TABLE deployment_schedule (
    @standard,
    schedule JSON NOT NULL,
    active BOOLEAN NOT NULL,
    deployment_id CHAR(36) NOT NULL,
    max_scheduled_runs INTEGER,
    CONSTRAINT pk_deployment_schedule PRIMARY KEY (id),
    CONSTRAINT fk_deployment_schedule__deployment_id__deployment FOREIGN KEY (deployment_id) REFERENCES deployment (id) ON DELETE CASCADE
);
CREATE INDEX ix_artifact_collection__updated ON artifact_collection (updated);
CREATE INDEX ix_artifact__key_created_desc ON artifact (key, created DESC);
CREATE INDEX ix_block_document__block_type_name__name ON block_document (block_type_name, name);
CREATE INDEX ix_flow_run__scheduler_deployment_id_auto_scheduled_next_schedu ON flow_run (deployment_id, auto_scheduled, next_scheduled_start_time) WHERE state_type = 'SCHEDULED';

-- revision 67f886da208e: Add parameters column to deployment schedules
ALTER TABLE deployment_schedule ADD COLUMN parameters JSON DEFAULT '{}' NOT NULL;

-- revision 07ecde74d74d: Add slug column to deployment_schedule
ALTER TABLE deployment_schedule ADD COLUMN slug VARCHAR;
CREATE INDEX ix_deployment_schedule__slug ON deployment_schedule (slug);
CREATE UNIQUE INDEX ix_deployment_schedule__deployment_id__slug ON deployment_schedule(deployment_id, slug) WHERE slug IS NOT NULL;

-- revision 3457c6ca2360: add storage configuration to work pool
ALTER TABLE work_pool ADD COLUMN storage_configuration JSON DEFAULT '{}' NOT NULL;

-- revision bbca16f6f218: Create new deployment version table
CREATE TABLE deployment_version (
    deployment_id CHAR(36) NOT NULL,
    branch VARCHAR,
    version_info JSON DEFAULT '{}' NOT NULL,
    description TEXT,
    tags JSON DEFAULT '[]' NOT NULL,
    labels JSON,
    entrypoint VARCHAR,
    pull_steps JSON,
    parameters JSON DEFAULT '{}' NOT NULL,
    parameter_openapi_schema JSON,
    enforce_parameter_schema BOOLEAN DEFAULT '0' NOT NULL,
    work_queue_id CHAR(36),
    work_queue_name VARCHAR,
    infra_overrides JSON DEFAULT '{}' NOT NULL,
    id CHAR(36) DEFAULT (GEN_RANDOM_UUID()) NOT NULL,
    created DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL,
    updated DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL,
    CONSTRAINT pk_deployment_version PRIMARY KEY (id),
    CONSTRAINT fk_deployment_version__deployment_id__deployment FOREIGN KEY (deployment_id) REFERENCES deployment (id) ON DELETE CASCADE,
    CONSTRAINT fk_deployment_version__work_queue_id__work_queue FOREIGN KEY (work_queue_id) REFERENCES work_queue (id) ON DELETE SET NULL
);
ALTER TABLE deployment ADD COLUMN version_id CHAR(36);
CREATE INDEX ix_deployment_version__deployment_id ON deployment_version (deployment_id);
CREATE INDEX ix_deployment_version__updated ON deployment_version (updated);
CREATE INDEX ix_deployment_version__work_queue_id ON deployment_version (work_queue_id);
CREATE INDEX ix_deployment_version__work_queue_name ON deployment_version (work_queue_name);
CREATE UNIQUE INDEX uq_deployment_version__deployment__branch ON deployment_version (deployment_id, branch);
CREATE INDEX ix_deployment__version_id ON deployment (version_id);

-- revision 7655f31c5157: Remove flow run notifications
-- step make_automations
DROP TABLE flow_run_notification_queue;
DROP TABLE flow_run_notification_policy;

-- revision 3c841a1800a1: add scope+leader idx to AutomationEventFollower
CREATE INDEX ix_ae_follower_scope_leader ON automation_event_follower (scope, leader_event_id);

-- revision bb2345678901: Add tags column to automation table
ALTER TABLE automation ADD COLUMN tags JSON DEFAULT '[]' NOT NULL;

-- revision 8bb517bae6f9: Drop task_run state_id foreign key constraint
-- edit
CREATE TABLE task_run (
    @standard,
    name VARCHAR NOT NULL,
    state_type VARCHAR(9),
    run_count INTEGER DEFAULT '0' NOT NULL,
    expected_start_time DATETIME,
    next_scheduled_start_time DATETIME,
    start_time DATETIME,
    end_time DATETIME,
    total_run_time DATETIME DEFAULT '0' NOT NULL,
    task_key VARCHAR NOT NULL,
    dynamic_key VARCHAR NOT NULL,
    cache_key VARCHAR,
    cache_expiration DATETIME,
    task_version VARCHAR,
    empirical_policy JSON DEFAULT '{}' NOT NULL,
    task_inputs JSON DEFAULT '{}' NOT NULL,
    tags JSON DEFAULT '[]' NOT NULL,
    flow_run_id CHAR(36),
    state_id CHAR(36),
    state_name VARCHAR,
    state_timestamp DATETIME,
    flow_run_run_count INTEGER DEFAULT '0' NOT NULL,
    labels JSON,
    CONSTRAINT pk_task_run PRIMARY KEY (id),
    CONSTRAINT fk_task_run__flow_run_id__flow_run FOREIGN KEY (flow_run_id) REFERENCES flow_run (id) ON DELETE CASCADE
);

-- revision 9e83011d1f2a: Migrate V1 concurrency limits to V2
INSERT INTO concurrency_limit_v2 (id, name, "limit", active, active_slots, denied_slots, slot_decay_per_second,
        avg_slot_occupancy_seconds, created, updated)
    SELECT l.id, 'tag:' || l.tag, l.concurrency_limit, 1, json_array_length(COALESCE(l.active_slots, '[]')), 0, 0.0, 600.0, l.created, l.updated
    FROM concurrency_limit l WHERE NOT EXISTS (SELECT 1 FROM concurrency_limit_v2 o WHERE o.name = 'tag:' || l.tag);
DELETE FROM concurrency_limit;

-- revision a1b2c3d4e5f7: Add expression index for per-schedule scheduler query
CREATE INDEX ix_flow_run__schedule_id_scheduler ON flow_run (deployment_id, json_extract(created_by, '$.id'), next_scheduled_start_time) WHERE state_type = 'SCHEDULED' AND auto_scheduled = 1;

-- revision 4dfa692e02a7: Add composite index on task_run(state_type, start_time)
CREATE INDEX ix_task_run__state_type_start_time ON task_run (state_type, start_time);

-- revision 2095de406cbe: Add CHECK constraint preventing block_document_reference self-references
DELETE FROM block_document_reference WHERE parent_block_document_id = reference_block_document_id;
-- edit
CREATE TABLE block_document_reference (
    @standard,
    name VARCHAR NOT NULL,
    parent_block_document_id CHAR(36) NOT NULL,
    reference_block_document_id CHAR(36) NOT NULL,
    CONSTRAINT pk_block_document_reference PRIMARY KEY (id),
    CONSTRAINT ck_block_document_reference__ck_block_document_reference__no_self_reference CHECK (parent_block_document_id != reference_block_document_id),
    CONSTRAINT fk_block_document_reference__parent_block_document_id__block_document FOREIGN KEY (parent_block_document_id) REFERENCES block_document (id) ON DELETE CASCADE,
    CONSTRAINT fk_block_document_reference__reference_block_document_id__block_document FOREIGN KEY (reference_block_document_id) REFERENCES block_document (id) ON DELETE CASCADE
);

-- revision 79e7a60e43d8: Add index on event_resources(occurred) for vacuum performance
CREATE INDEX ix_event_resources__occurred ON event_resources (occurred);

-- revision 14806cb26270: Add index on event_resources(event_id) for vacuum performance
CREATE INDEX ix_event_resources__event_id ON event_resources (event_id);
