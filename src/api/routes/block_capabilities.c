/* api/routes/block_capabilities.c -- /block_capabilities: the capabilities that block schemas have; its
 * table of routes is at the end. */
#include "api/routes/families.h"

#include "blocks/block.h"

static bool read_available_block_capabilities(Req *req)
{
    Str names = block_schema_capabilities(req->tx);
    json_stored(reply_json(req), names);
    return req->tx->error->code == ERR_NONE;
}

static const Route block_capability_routes[] = {
    { HTTP_GET, "/block_capabilities/", read_available_block_capabilities, TX_READ, 200,
      .doc = { "read_available_block_capabilities",
               .reply_schema = "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}" } },
};
const RouteFamily block_capability_family = FAMILY(block_capability_routes, .tag = "Block capabilities");
