using Microsoft.AspNetCore.Mvc.ModelBinding.Metadata;

namespace TaskScheduler.Api.Tasks;

/// <summary>Reads a blank text as what it is. MVC would make null of it, also where a text is never null: of an ID in a path.</summary>
public sealed class BlankTexts : IDisplayMetadataProvider
{
    public void CreateDisplayMetadata(DisplayMetadataProviderContext context)
    {
        context.DisplayMetadata.ConvertEmptyStringToNull = false;
    }
}
