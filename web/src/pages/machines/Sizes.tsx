import { Radio, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Schema } from "../../api/atoll";
import { useFormat } from "../../app/format";
import { Columns } from "../../parts/Columns";
import { usePrice } from "../../parts/Price";

const GIB = 2 ** 30;

/** Sizes of a product, with what each is and costs. */
export function Sizes({ sizes, value, onChange, now }: { sizes: readonly Schema<"SizeAnswer">[]; value: string; onChange: (name: string) => void; now?: string }) {
  const { t } = useTranslation("machines");
  const format = useFormat();
  const priced = usePrice();
  return (
    <Radio.Group label={t("size.label")} description={t("size.help")} value={value} onChange={onChange} required>
      <Columns least="narrow">
        {sizes.map((size) => (
          <Radio
            key={size.name}
            value={size.name}
            mt="xs"
            label={size.name === now ? t("size.now", { name: size.name }) : size.name}
            description={
              <Text component="span" size="xs" className="tabular">
                {t("size.is", {
                  vcpu: format.number(size.vcpu),
                  memory: format.number(size.memory_bytes / GIB),
                  price: priced(size.eur_per_hour),
                })}
              </Text>
            }
          />
        ))}
      </Columns>
    </Radio.Group>
  );
}
