// The answers of SCIMMY. A PATCH goes the way of `SCIMMY.Resources.User#patch`, for every schema.
// SCIMMY accepts only schemas below `urn:ietf:params:scim:schemas:`, so the URNs of the corpus are renamed.

import SCIMMY from "scimmy";
import {answerQuestions} from "./questions.js";

const {Types, Messages, Resources, Schemas} = SCIMMY;
const OURS = /urn:example:params:scim:schemas:/gi;
const THEIRS = /urn:ietf:params:scim:schemas:example:/gi;
const renamed = (value, from, to) => JSON.parse(JSON.stringify(value).replaceAll(from, to));

Resources.declare(Resources.User).ingress((_, data) => data).egress(() => []);

function attribute(source) {
    const {name, type, subAttributes = [], multiValued, required, caseExact, mutability, referenceTypes} = source;
    const config = {multiValued, required, mutable: {readOnly: false, readWrite: true}[mutability] ?? mutability};
    if (caseExact !== undefined) config.caseExact = caseExact;
    if (mutability === "readOnly") config.direction = "out";
    if (referenceTypes) config.referenceTypes = referenceTypes;
    return new Types.Attribute(type, name, config, subAttributes.map(attribute));
}

const declared = new Map();

function schemaOf(names, documents) {
    const key = names.join();
    if (!declared.has(key)) declared.set(key, declare(names, documents));
    return declared.get(key);
}

function declare(names, documents) {
    if (names[0] === "User") {
        Schemas.User.extend(Schemas.EnterpriseUser, false);
        return Schemas.User;
    }
    if (names[0] === "Group") return Schemas.Group;
    const [definition, ...extensions] = names.map((name) => renamed(documents[name], OURS, "urn:ietf:params:scim:schemas:example:"))
        .map((one) => new Types.SchemaDefinition(one.name, one.id, one.description, one.attributes.map(attribute)));
    for (const each of extensions) definition.extend(each, false);
    return class extends Types.Schema {
        static get id() {
            return definition.id;
        }

        static get definition() {
            return definition;
        }

        constructor(resource, direction = "both", basepath, filters) {
            super(resource, direction);
            Object.assign(this, definition.coerce(resource, direction, basepath, filters));
        }
    };
}

function readable(Schema, document, kept) {
    try {
        return new Schema({...document, ...kept}, "out", "/Things");
    } catch {
        return undefined;
    }
}

async function patched(Schema, document, body) {
    const now = new Date();
    const kept = {id: "1", meta: {resourceType: Schema.definition.name, created: now, lastModified: now}};
    const read = readable(Schema, document, kept);
    if (read === undefined) return undefined; // such as a type that is not one of the canonical values
    const write = (instance) => {
        try {
            return new Schema({...new Schema(instance, "in"), ...kept}, "out", "/Things");
        } catch (error) {
            if (error instanceof TypeError) throw new Types.Error(400, "invalidValue", error.message);
            throw error;
        }
    };
    const made = await new Messages.PatchOp(body).apply(read, write);
    return JSON.parse(JSON.stringify(made === undefined ? read : new Schema(made, "out", "/Things")));
}

await answerQuestions(async (asked, documents) => {
    const question = renamed(asked, OURS, "urn:ietf:params:scim:schemas:example:");
    try {
        if (question.kind === "filter") {
            return {matches: new Resources.User({filter: question.request}).filter.match([question.document]).length === 1};
        }
        if (Object(question.request) !== question.request || Array.isArray(question.request)) {
            return {error: {status: 400, scimType: "invalidSyntax"}};
        }
        const names = question.schemas[0] === "Device" ? ["Device", "Lease"] : question.schemas;
        const document = await patched(schemaOf(names.slice(0, 2), documents), question.document, question.request);
        if (document === undefined) return {unsupported: "SCIMMY does not accept the resource"};
        return {document: renamed(document, THEIRS, "urn:example:params:scim:schemas:")};
    } catch (error) {
        if (error instanceof Types.Error) return {error: {status: error.status, scimType: error.scimType, detail: error.message}};
        return {error: {status: 500, detail: String(error)}};
    }
});
