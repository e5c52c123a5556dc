// A use of the generated client: what is wrong here does not compile.
import createClient from "openapi-fetch";
import type { components, paths } from "./countersign";

const client = createClient<paths>({ baseUrl: "https://countersign.example.com" });

type Service = components["schemas"]["ServiceOut"];

export async function services(team: string): Promise<Service[]> {
  const { data, error } = await client.GET("/api/v1/services", {
    params: { query: { owner_team: [team], sort: "-created_at", limit: 100 } },
  });
  if (error) {
    throw new Error(`${error.code}: ${error.detail ?? error.title}`);
  }
  return data.items;
}

export async function approve(id: string, note: string): Promise<string> {
  const { data, error } = await client.POST("/api/v1/approvals/{id}/approve", {
    params: { path: { id } },
    body: { note },
  });
  if (error) {
    throw new Error(error.code);
  }
  return data.status;
}

export async function rename(service: Service, name: string): Promise<void> {
  await client.PUT("/api/v1/services/{id}", {
    params: { path: { id: service.id }, header: { "If-Match": "\"seen\"" } },
    body: { ...service, name },
  });
  // @ts-expect-error there is no such path
  await client.GET("/api/v1/secrets");
  // @ts-expect-error a name is a text
  await client.POST("/api/v1/services", { body: { name: 7 } });
}
